"""Compute means, spreads, paired gains over seeds and what chance allows, from plain numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEVEL = 0.95


class Gain(NamedTuple):
    """Hold the mean paired difference over n seeds; None is what a single seed cannot give.

    Attributes:
      mean: of the differences.
      low: lower end of the 95 % t-interval.
      high: its upper end.
      n: the number of seeds.
      p: two-sided, of the paired t-test.
      holm: the same, corrected for all gains of the grid.
      differences: by ascending seed.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    p: float | None = None
    holm: float | None = None
    differences: tuple[float, ...] = ()

    @property
    def beyond_chance(self) -> bool:
        """Tell whether the corrected test tells the gain from zero."""
        return self.holm is not None and self.holm < 1 - LEVEL


class Correlation(NamedTuple):
    """Hold Spearman's rank correlation; None where n or the ranks allow none.

    Attributes:
      rho: the correlation, -1 to 1.
      p: two-sided, by permutation.
      n: the number of pairs.
    """

    rho: float | None
    p: float | None
    n: int


def mean(values: Sequence[float]) -> float | None:
    """Take the arithmetic mean.

    Args:
      values: the numbers.

    Returns:
      The mean; None of nothing.
    """
    return math.fsum(values) / len(values) if values else None


def deviation(values: Sequence[float]) -> float | None:
    """Take the sample standard deviation, sqrt(sum (x - mean)^2 / (n - 1)).

    Args:
      values: the numbers.

    Returns:
      The deviation; None of fewer than two.
    """
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (len(values) - 1))


def paired_gain(
    chosen: Mapping[int, float], baseline: Mapping[int, float], level: float = LEVEL
) -> Gain | None:
    """Pair two results by seed, over the seeds that both have.

    With d_s = chosen_s - baseline_s and e = std(d) / sqrt(n) the t-interval is
    mean(d) +- t(n - 1) * e, and p that of |mean(d)| / e.

    Args:
      chosen: numbers by seed.
      baseline: those that they are compared with, by seed.
      level: of the interval.

    Returns:
      The gain of `chosen`; None where no seed has both.
    """
    differences = [chosen[seed] - baseline[seed] for seed in sorted(chosen.keys() & baseline)]
    if not differences:
        return None
    n, centre = len(differences), mean(differences)
    if n == 1:
        return Gain(centre, None, None, 1, differences=tuple(differences))
    from scipy.special import stdtr, stdtrit  # not scipy.stats: the console's table has no time

    error = deviation(differences) / math.sqrt(n)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    t = abs(centre) / error if error else math.inf if centre else 0.0
    p = float(2 * stdtr(n - 1, -t))
    return Gain(centre, centre - half, centre + half, n, p, differences=tuple(differences))


def bootstrap(differences: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Bootstrap the percentile interval of the mean, from 9,999 resamples of a fixed seed.

    It lies within the smallest and the greatest difference, so over few seeds it is too narrow:
    over three it covers the mean in about three of four studies.

    Args:
      differences: one a seed.
      level: of the interval.

    Returns:
      Its lower and upper end; None for fewer than two differences.
    """
    if len(differences) < 2:
        return None
    from scipy import stats

    interval = stats.bootstrap(
        (np.asarray(differences),), np.mean, confidence_level=level, method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(interval.low), float(interval.high)


def holm(p: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests.

    S. Holm, 1979: the i-th smallest of m, i from 0, becomes max over j <= i of
    min(1, (m - j) * p_(j)); whatever stays below a level errs once or more with at most it.

    Args:
      p: one a test.

    Returns:
      The corrected ones, in the order of the tests.
    """
    corrected, highest = [0.0] * len(p), 0.0
    for smaller, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        highest = max(highest, min(1.0, (len(p) - smaller) * p[index]))
        corrected[index] = highest
    return corrected


def area(labelled: Sequence[int], values: Sequence[float]) -> float | None:
    """Take the mean height of the curve of `values` over `labelled`, by trapezoids.

    That is the area under the budget curve over its width.

    Args:
      labelled: the number of labelled examples of each point, ascending.
      values: the result of each point.

    Returns:
      The mean height, in the unit of the values; None for fewer than two points.
    """
    if len(labelled) < 2:
        return None
    return float(np.trapezoid(values, labelled)) / (labelled[-1] - labelled[0])


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Correlate the ranks of pairs (x_i, y_i).

    The two-sided p is by permutation: all n! of them up to n = 7, else 9,999 drawn from a fixed
    seed.

    Args:
      x: the first of each pair.
      y: the second of each pair.

    Returns:
      The correlation; without rho for n < 3, and where all values of one side are equal.
    """
    n = len(x)
    if n < 3 or len(set(x)) == 1 or len(set(y)) == 1:
        return Correlation(None, None, n)
    from scipy import stats

    ranks = stats.rankdata(x), stats.rankdata(y)
    a, b = (r - r.mean() for r in ranks)

    def rho(a: Float[np.ndarray, "... n"], axis: int) -> Float[np.ndarray, "..."] | np.float64:
        return (a * b).sum(axis) / math.sqrt((b**2).sum() * (ranks[0].var() * n))

    test = stats.permutation_test(
        (a,), rho, permutation_type="pairings", vectorized=True, n_resamples=9999,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return Correlation(float(test.statistic), float(test.pvalue), n)
