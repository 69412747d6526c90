import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from salx.report import statistics

VALUES = st.floats(0, 1, allow_subnormal=False)
BY_SEED = st.dictionaries(st.integers(0, 9), VALUES, max_size=6)


def test_a_case_worked_by_hand():
    chosen, random = {0: 91.0, 1: 92.0, 2: 96.0}, {0: 90.0, 1: 90.0, 2: 93.0}
    gain = statistics.paired_gain(chosen, random)  # differences 1, 2, 3: std 1, t(2) = 4.3027
    assert (gain.mean, gain.n) == (2.0, 3)
    assert gain.low == pytest.approx(2 - 4.30265 / math.sqrt(3), abs=1e-4)
    assert gain.high == pytest.approx(2 + 4.30265 / math.sqrt(3), abs=1e-4)
    assert statistics.mean([1, 2, 6]) == 3
    assert statistics.deviation([1, 2, 6]) == pytest.approx(math.sqrt(7))


def test_only_seeds_that_both_have_are_paired():
    gain = statistics.paired_gain({0: 1.0, 1: 5.0, 2: 9.0}, {1: 4.0, 2: 7.0, 3: 100.0})
    assert (gain.mean, gain.n) == (1.5, 2)


def test_one_seed_gives_no_interval_and_no_spread():
    gain = statistics.paired_gain({0: 2.0}, {0: 1.0, 1: 3.0})
    assert gain == (1.0, None, None, 1)
    assert not gain.certain
    assert statistics.deviation([2.0]) is None


def test_nothing_is_not_zero():
    assert statistics.mean([]) is None
    assert statistics.deviation([]) is None
    assert statistics.paired_gain({0: 1.0}, {1: 1.0}) is None


@given(BY_SEED, BY_SEED)
def test_intervals_are_those_of_the_paired_t_test(chosen, random):
    gain, both = statistics.paired_gain(chosen, random), sorted(chosen.keys() & random.keys())
    if len(both) < 2:
        assert gain is None or gain.low is None
        return
    differences = np.array([chosen[s] - random[s] for s in both])
    assert gain.mean == pytest.approx(differences.mean(), abs=1e-12)
    if differences.std() > 1e-9:
        low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
        assert (gain.low, gain.high) == pytest.approx((low, high), rel=1e-6, abs=1e-9)
    assert gain.low <= gain.mean <= gain.high


@given(st.lists(VALUES, min_size=2, max_size=9))
def test_mean_and_deviation_are_numpys(values):
    assert statistics.mean(values) == pytest.approx(np.mean(values), abs=1e-12)
    assert statistics.deviation(values) == pytest.approx(np.std(values, ddof=1), abs=1e-9)


@given(BY_SEED, BY_SEED, st.floats(-1, 1))
def test_a_shift_of_the_chosen_shifts_gain_and_interval(chosen, random, shift):
    before = statistics.paired_gain(chosen, random)
    after = statistics.paired_gain({s: v + shift for s, v in chosen.items()}, random)
    if before is not None:
        assert after.mean == pytest.approx(before.mean + shift, abs=1e-9)
    if before is not None and before.low is not None:
        width = before.high - before.low
        assert after.high - after.low == pytest.approx(width, abs=1e-7)
