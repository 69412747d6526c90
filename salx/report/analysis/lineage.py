"""Follow a line of models, each the next one's surrogate: generations that inherit what was chosen.

The paper's Figure 2. Cycle c of a lineage of m models is chosen by model c * m // cycles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from salx.report.analysis import statistics
from salx.report.analysis.grids import Pair, value
from salx.report.load.types import RANDOM, Column, Work


@dataclass(frozen=True)
class Generation:
    """Hold one model of a line.

    Attributes:
      model: its label.
      start: the number of labelled examples when it takes over.
      end: that when it hands over.
      first: what it reached on the former; n is 0 where it was not trained.
      last: what it reached on the latter.
    """

    model: str
    start: int
    end: int
    first: Pair
    last: Pair


def turns(models: Sequence[str], cycles: int) -> Iterator[tuple[str, int, int]]:
    """Say who chooses when.

    Cycle 0 is random, so the first model takes over after it, as the others after their
    predecessor's last cycle. A model whose turn is cycle 0 alone chooses nothing.

    Args:
      models: the labels of the line.
      cycles: the number of cycles of the study.

    Yields:
      (model, cycle before its first choice, cycle of its last choice).
    """
    whose = [cycle * len(models) // cycles for cycle in range(cycles)]
    for number, model in enumerate(models):
        chosen = [cycle for cycle in range(1, cycles) if whose[cycle] == number]
        if chosen:
            yield model, chosen[0] - 1, chosen[-1]


def generations(work: Work, line: str, policy: str) -> tuple[Generation, ...]:
    """Measure each generation of a lineage under a policy.

    Args:
      work: all results.
      line: the lineage's label.
      policy: the policy's label.

    Returns:
      The generations, the oldest first.
    """
    study, column = work.study, Column(line, policy)
    return tuple(
        Generation(
            model, study.budgets[start], study.budgets[end],
            measured(work, model, column, start), measured(work, model, column, end),
        )
        for model, start, end in turns(study.lineages[line], len(study.budgets))
    )  # fmt: skip


def measured(work: Work, model: str, column: Column, cycle: int) -> Pair:
    """Measure a model on what the lineage had chosen up to a cycle.

    Args:
      work: all results.
      model: its label.
      column: the lineage under a policy.
      cycle: counted from 0; after cycle 0 the choice is random itself, so that there is no gain.

    Returns:
      The pair.
    """
    values, results = value(work, model, column, cycle)
    random = value(work, model, RANDOM, cycle)[0] if cycle else {}
    numbers = list(values.values())
    return Pair(
        model, column, len(values), statistics.mean(numbers), statistics.deviation(numbers),
        statistics.paired_gain(values, random), results,
    )  # fmt: skip
