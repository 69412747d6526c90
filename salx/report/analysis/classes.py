"""Measure the metric class by class: who gains where somebody chose."""

from salx.report.analysis.grids import SCALE
from salx.report.load.types import RANDOM, Column, Work, by_seed


def levels(work: Work, cycle: int) -> list[list[float]]:
    """Collect the metric of each class under random.

    Args:
      work: all results.
      cycle: counted from 0.

    Returns:
      For each class, percent points over deployments and seeds.
    """
    levels: list[list[float]] = [[] for _ in work.study.dataset.classes]
    for deployment in work.study.deployments:
        for result in by_seed(work, deployment, RANDOM, cycle).values():
            for values, value in zip(levels, result.classes, strict=False):
                values += [] if value is None else [SCALE * value]
    return levels


def gains(work: Work, policy: str, cycle: int) -> list[list[float]]:
    """Pair all pairs off the diagonal with random by seed, class by class.

    Args:
      work: all results.
      policy: the label of the policy that chose.
      cycle: counted from 0.

    Returns:
      For each class, the gains in percent points.
    """
    gained: list[list[float]] = [[] for _ in work.study.dataset.classes]
    for deployment in work.study.deployments:
        random = by_seed(work, deployment, RANDOM, cycle)
        for surrogate in work.study.surrogates:
            chosen = by_seed(work, deployment, Column(surrogate, policy), cycle)
            for seed in chosen.keys() & random if surrogate != deployment else ():
                both = zip(gained, chosen[seed].classes, random[seed].classes, strict=False)
                for values, one, other in both:
                    if one is not None and other is not None:
                        values.append(SCALE * (one - other))
    return gained
