"""Count how often a policy is better than another, in the same pairs, budgets and seeds.

J. T. Ash et al., ICLR 2020, compare policies so; here every deployed pair counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from salx.report.analysis import statistics
from salx.report.analysis.grids import SCALE
from salx.report.load.types import RANDOM, Column, Result, Work, by_seed


class Wins(NamedTuple):
    """Count the settings in which one policy is better than another.

    Attributes:
      better: in how many its mean is above the other's.
      certain: in how many of these the 95 % t-interval of the paired difference excludes zero.
      n: the number of settings.
      sources: the files behind the counts, from the work folder.
    """

    better: int
    certain: int
    n: int
    sources: tuple[str, ...] = ()


def settings(work: Work, a: str, b: str) -> Iterator[tuple[dict[int, Result], dict[int, Result]]]:
    """Take results of the same pair after the same cycle, past the random start.

    Random needs no surrogate: it meets a policy once for each of them.

    Args:
      work: all results.
      a: the label of a policy.
      b: that of another.

    Yields:
      For each setting the results by seed under a, and those under b.
    """
    for deployment in work.study.deployments:
        for surrogate in work.study.surrogates:
            for cycle in work.study.deploy_cycles:
                if cycle:
                    columns = [
                        RANDOM if p == RANDOM.policy else Column(surrogate, p) for p in (a, b)
                    ]
                    yield tuple(by_seed(work, deployment, column, cycle) for column in columns)


def wins(work: Work, a: str, b: str) -> Wins:
    """Count how often policy a is better than policy b.

    Args:
      work: all results.
      a: the label of a policy.
      b: that of another.

    Returns:
      The counts.
    """
    better, certain, n, sources = 0, 0, 0, []
    for one, other in settings(work, a, b):
        values = [{s: SCALE * r.value for s, r in results.items()} for results in (one, other)]
        gain = statistics.paired_gain(*values)
        if gain:
            n += 1
            better += gain.mean > 0
            certain += gain.low is not None and gain.low > 0
            sources += [result.source for results in (one, other) for result in results.values()]
    return Wins(better, certain, n, tuple(dict.fromkeys(sources)))
