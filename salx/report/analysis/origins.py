"""Tell which runs a study has, on what they ran, and who chose what they were trained on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from salx.infra import sealed
from salx.report.load.selections import SelectionFacts
from salx.report.load.types import RANDOM, Column, Result, Work


@dataclass(frozen=True)
class Origin:
    """Say where a run comes from.

    Attributes:
      label: who chose what it was trained on.
      result: the run's.
      record: the digest of the record of that choice; None where there is none.
    """

    label: str
    result: Result
    record: str | None


def every_result(work: Work) -> list[Result]:
    """List the results of all runs, those on the whole pool included.

    Args:
      work: all results.

    Returns:
      The results, by the names of their runs, those on the whole pool last.
    """
    return [*work.results.values(), *work.potentials]


def environments(work: Work) -> list[tuple[Mapping[str, Any], int]]:
    """Count the distinct environments of the runs.

    Args:
      work: all results.

    Returns:
      Each environment with its number of runs, the most frequent first.
    """
    first = {sealed.canonical(r.environment): r.environment for r in every_result(work)}
    counts = Counter(sealed.canonical(r.environment) for r in every_result(work))
    return [
        (first[key], count) for key, count in sorted(counts.items(), key=lambda e: (-e[1], e[0]))
    ]


def origins(work: Work, selected: SelectionFacts) -> Iterator[tuple[str, list[Origin]]]:
    """List all runs, model by model, in the order of the config.

    Args:
      work: all results.
      selected: what choosing left.

    Yields:
      For each trained model its label and its runs: by who chose, seed and cycle.
    """
    study, results = work.study, every_result(work)
    models = [*study.deployments, *study.models, *sorted({r.deployment for r in results})]
    columns = {column: number for number, column in enumerate((RANDOM, *study.choosers))}

    def order(result: Result) -> tuple[int, str, int, int]:
        number = columns.get(Column(result.surrogate, result.policy), len(columns))
        return number, result.run.partition(".s")[0], result.seed, result.cycle or 0

    for model in dict.fromkeys(models):
        runs = sorted((r for r in results if r.deployment == model), key=order)
        if runs:
            yield model, [origin(work, selected, result) for result in runs]


def origin(work: Work, selected: SelectionFacts, result: Result) -> Origin:
    """Tell who chose what a run was trained on.

    Args:
      work: all results.
      selected: what choosing left.
      result: the run's.

    Returns:
      The label of who chose, and the record of the choice.
    """
    if result.cycle is None:
        return Origin("nobody: the whole pool", result, None)
    column = Column(result.surrogate, result.policy)
    record = selected.digests.get((column.selection(result.seed), result.cycle))
    return Origin(work.study.label(column), result, record)
