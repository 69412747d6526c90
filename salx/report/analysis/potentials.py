"""Take what models reach on the whole pool."""

from collections.abc import Mapping

from salx.report.analysis.grids import SCALE
from salx.report.load.types import Result, Work


def points(results: Mapping[int, Result]) -> dict[int, float]:
    """Take percent points.

    Args:
      results: by seed.

    Returns:
      The metric by seed.
    """
    return {seed: SCALE * result.value for seed, result in results.items()}


def of(work: Work, model: str) -> dict[int, Result]:
    """Take a model's results after training on the whole pool.

    Args:
      work: all results.
      model: its label.

    Returns:
      The results by seed.
    """
    return {r.seed: r for r in work.potentials if r.deployment == model}
