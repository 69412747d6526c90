import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from salx.report.analysis import statistics

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
    assert gain == (1.0, None, None, 1, None, None, (1.0,))
    assert not gain.beyond_chance
    assert statistics.bootstrap(gain.differences) is None
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
        assert gain.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=1e-6)
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


def test_equal_differences_are_sure_and_no_difference_is_not():
    assert statistics.paired_gain({0: 1.0, 1: 2.0}, {0: 0.0, 1: 1.0}).p == 0
    assert statistics.paired_gain({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0}).p == 1


def test_holm_on_a_case_worked_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1, and never below the one before.
    assert statistics.holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert statistics.holm([0.7, 0.6]) == [1.0, 1.0]
    assert statistics.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.999))
def test_holm_rejects_what_its_step_down_rejects(p, level):
    """The definition: reject in order while p_(i) <= level / (m - i), and stop at the first."""
    rejected = set()
    for place, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[index] * (len(p) - place) > level:
            break
        rejected.add(index)
    found = {i for i, corrected in enumerate(statistics.holm(p)) if corrected <= level}
    assert found == rejected


@given(st.lists(VALUES, min_size=2, max_size=6))
def test_the_bootstrap_lies_within_the_data_and_around_its_mean(values):
    low, high = statistics.bootstrap(values)
    assert min(values) - 1e-12 <= low <= high + 1e-12 <= max(values) + 2e-12
    assert low - 1e-12 <= np.mean(values) <= high + 1e-12
    assert statistics.bootstrap(values) == (low, high)


def test_the_bootstrap_is_that_of_all_resamples():
    values = [1.0, 2.0, 4.0, 8.0]
    means = [np.mean(s) for s in itertools.product(values, repeat=4)]
    exact = np.quantile(means, [0.025, 0.975], method="inverted_cdf")
    assert statistics.bootstrap(values) == pytest.approx(exact, abs=0.3)  # the grid's step is 0.25


def test_area_is_the_mean_height_of_the_curve():
    assert statistics.area([10, 20], [1.0, 3.0]) == 2.0
    assert statistics.area([0, 10, 40], [0.0, 1.0, 1.0]) == pytest.approx(35 / 40)
    assert statistics.area([10], [1.0]) is None


@settings(deadline=None)  # scipy goes through all permutations; nothing is timed here
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=5))
def test_spearman_is_scipys_and_its_p_that_of_all_permutations(points):
    x, y = zip(*points, strict=True)
    found = statistics.spearman(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert found == (None, None, len(points))
        return

    def rho(order):
        return stats.spearmanr([x[i] for i in order], y).statistic

    rhos = [rho(order) for order in itertools.permutations(range(len(x)))]
    assert found.rho == pytest.approx(rho(range(len(x))), abs=1e-9)
    tails = [np.mean([r >= found.rho - 1e-9 for r in rhos])]
    tails.append(np.mean([r <= found.rho + 1e-9 for r in rhos]))
    assert found.p == pytest.approx(min(1, 2 * min(tails)), abs=1e-9)


def test_two_points_have_no_correlation():
    assert statistics.spearman([1, 2], [1, 2]) == (None, None, 2)
