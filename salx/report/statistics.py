"""Means, spreads and paired gains over seeds. Pure functions of plain numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Gain(NamedTuple):
    """Mean paired difference over n seeds; no interval (None) from a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def certain(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and (self.low > 0 or self.high < 0)


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def deviation(values: Sequence[float]) -> float | None:
    """Sample standard deviation, sqrt(sum (x - mean)^2 / (n - 1)); None for n < 2."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (len(values) - 1))


def paired_gain(
    chosen: Mapping[int, float], baseline: Mapping[int, float], level: float = 0.95
) -> Gain | None:
    """Gain of `chosen` over `baseline`, both by seed, over the seeds that both have.

    With d_s = chosen_s - baseline_s the t-interval is mean(d) +- t(n - 1) * std(d) / sqrt(n).
    Returns None where no seed has both.
    """
    differences = [chosen[seed] - baseline[seed] for seed in sorted(chosen.keys() & baseline)]
    if not differences:
        return None
    n, centre = len(differences), mean(differences)
    if n == 1:
        return Gain(centre, None, None, 1)
    from scipy.special import stdtrit  # here: reading a report's numbers needs no scipy

    half = float(stdtrit(n - 1, (1 + level) / 2)) * deviation(differences) / math.sqrt(n)
    return Gain(centre, centre - half, centre + half, n)
