"""Measure what kind of chooser a surrogate is, from its scores and its picks alone."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from salx.report.load.selections import Scores


def separation(values: Float[np.ndarray, " n"]) -> float:
    """Divide (mean of the top tenth - mean of the others) by the standard deviation.

    Args:
      values: the scores.

    Returns:
      The quotient; 0 of equal scores.
    """
    values = np.sort(values.astype(np.float64))
    top = max(1, round(len(values) / 10))
    spread = values.std()
    return float((values[-top:].mean() - values[:-top].mean()) / spread) if spread else 0.0


def jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    """Compute Jaccard's index |a & b| / |a | b|.

    Args:
      a: ids.
      b: ids.

    Returns:
      0 to 1; 1 of two empty sets.
    """
    return len(a & b) / len(a | b) if a | b else 1.0


def agreement(a: Scores, b: Scores) -> float | None:
    """Correlate, with Spearman's rho, two surrogates' scores of the examples that both scored.

    Args:
      a: the scores of one.
      b: those of the other.

    Returns:
      -1 to 1; None where fewer than three are shared, or where all scores of one are equal.
    """
    _, at_a, at_b = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
    x, y = a.values[at_a], b.values[at_b]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    from scipy import stats

    return float(stats.spearmanr(x, y).statistic)


def balance(counts: Sequence[float]) -> float | None:
    """Divide the entropy of the classes' shares by log(classes).

    Args:
      counts: one a class.

    Returns:
      0 to 1, where 1 is even; None of one class or of nothing.
    """
    if len(counts) < 2 or not sum(counts):
        return None
    from scipy import stats

    return float(stats.entropy(counts) / np.log(len(counts)))
