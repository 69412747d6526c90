"""Build the deployment x surrogate tables: who chose, who was trained on it, how well it did."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from salx.report import statistics
from salx.report.statistics import Gain
from salx.report.types import RANDOM, Column, Result, Work, by_seed

SCALE = 100  # fractions inside result files, percent points in tables
Values = dict[int, float]  # percent points by seed


@dataclass(frozen=True)
class Cell:
    """Hold one pair, in percent points over n seeds; None is what is missing.

    Args:
      rank: 1 is the row's best; cells that show the same number share it.
      shade: 0 for the row's worst to 1 for its best.
    """

    deployment: str
    column: Column
    n: int = 0
    mean: float | None = None
    std: float | None = None
    gain: Gain | None = None
    results: tuple[Result, ...] = ()
    rank: int | None = None
    shade: float | None = None

    @property
    def diagonal(self) -> bool:
        """Whether the model was trained on what it chose itself."""
        return self.deployment == self.column.surrogate

    @property
    def runs(self) -> tuple[str, ...]:
        """The names of the runs behind the numbers."""
        return tuple(result.run for result in self.results)

    @property
    def sources(self) -> tuple[str, ...]:
        """The files behind the numbers, from the work folder."""
        return tuple(result.source for result in self.results)


@dataclass(frozen=True)
class Table:
    """Hold one policy's cells: a row for each deployment, a column for each surrogate and random.

    Args:
      policy: its label in the study.
      title: what readers call it.
      oracle: whether it knows the labels.
    """

    policy: str
    title: str
    oracle: bool
    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    cycle: int
    labelled: int
    pool: int
    seeds: int
    metric: str
    unit: str
    digits: int

    @property
    def cells(self) -> list[Cell]:
        """List the cells of all rows."""
        return [cell for row in self.rows for cell in row]


class Tally(NamedTuple):
    """Count pairs of a surrogate and a deployment: all, compared, better than random, above and
    below random beyond chance; and their mean gain in percent points."""

    pairs: int
    compared: int
    better: int
    above: int
    below: int
    gain: float | None


Measure = Callable[[Work, str, Column, int], tuple[Values, tuple[Result, ...]]]


def value(
    work: Work, deployment: str, column: Column, cycle: int
) -> tuple[Values, tuple[Result, ...]]:
    """Take percent points by seed after one cycle, and the results that they are from."""
    results = by_seed(work, deployment, column, cycle)
    points = {seed: SCALE * result.value for seed, result in results.items()}
    return points, tuple(results.values())


def area(
    work: Work, deployment: str, column: Column, cycle: int
) -> tuple[Values, tuple[Result, ...]]:
    """Take mean percent points by seed over the budget, from the first random cycle over those
    in which every pair is trained up to `cycle`. A seed that lacks one has none."""
    cycles = sorted({0, *(c for c in work.study.deploy_cycles if c <= cycle)})
    points = [by_seed(work, deployment, column, c) for c in cycles]
    labelled = [work.study.budgets[c] for c in cycles]
    areas = {}
    for seed in sorted(set.intersection(*map(set, points))):
        curve = [SCALE * results[seed].value for results in points]
        if (height := statistics.area(labelled, curve)) is not None:
            areas[seed] = height
    return areas, tuple(results[seed] for seed in areas for results in points)


def build(work: Work, cycle: int | None = None, measure: Measure = value) -> tuple[Table, ...]:
    """Build the tables of one cycle, one for each policy.

    Args:
      cycle: the last deployed one unless another is named.
      measure: what a cell shows of its results.

    Returns:
      The tables, whose p-values are corrected for all gains of all of them.
    """
    study = work.study
    cycle = study.deploy_cycles[-1] if cycle is None else cycle
    built = []
    for policy in study.policies:
        columns = (*(Column(surrogate, policy) for surrogate in study.surrogates), RANDOM)
        rows = [[cell(work, d, c, cycle, measure) for c in columns] for d in study.deployments]
        table = Table(
            policy=policy,
            title=study.title(policy),
            oracle=study.policy_facts[policy].oracle,
            columns=columns,
            labels=tuple(column.surrogate or column.policy for column in columns),
            rows=tuple(ranked(row, study.digits) for row in rows),
            cycle=cycle,
            labelled=study.budgets[cycle],
            pool=study.dataset.pool,
            seeds=study.seeds,
            metric=study.metric,
            unit=study.unit,
            digits=study.digits,
        )
        built.append(table)
    return corrected(built)


def cell(work: Work, deployment: str, column: Column, cycle: int, measure: Measure = value) -> Cell:
    """Measure one pair, and pair it with random by seed."""
    values, results = measure(work, deployment, column, cycle)
    gain = None
    if column != RANDOM:
        gain = statistics.paired_gain(values, measure(work, deployment, RANDOM, cycle)[0])
    return Cell(
        deployment=deployment,
        column=column,
        n=len(values),
        mean=statistics.mean(list(values.values())),
        std=statistics.deviation(list(values.values())),
        gain=gain,
        results=results,
    )


def corrected(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Correct the p-values of the tables' gains, with Holm's method, for all of the gains."""
    p = [cell.gain.p for t in tables for cell in t.cells if cell.gain and cell.gain.p is not None]
    holm = iter(statistics.holm(p))

    def correct(cell: Cell) -> Cell:
        if not cell.gain or cell.gain.p is None:
            return cell
        return replace(cell, gain=cell.gain._replace(holm=next(holm)))

    return tuple(
        replace(table, rows=tuple(tuple(map(correct, row)) for row in table.rows))
        for table in tables
    )


def tally(tables: Iterable[Table], diagonal: bool = False) -> Tally:
    """Count the pairs off the diagonal, or those on it."""
    pairs = [
        cell for table in tables for cell in table.cells
        if cell.column.surrogate and cell.diagonal == diagonal
    ]  # fmt: skip
    gains = [cell.gain for cell in pairs if cell.gain]
    return Tally(
        pairs=len(pairs),
        compared=len(gains),
        better=sum(gain.mean > 0 for gain in gains),
        above=sum(gain.beyond_chance and gain.mean > 0 for gain in gains),
        below=sum(gain.beyond_chance and gain.mean < 0 for gain in gains),
        gain=statistics.mean([gain.mean for gain in gains]),
    )


def ranked(row: Sequence[Cell], digits: int = 1) -> tuple[Cell, ...]:
    """Give a row its ranks and shades: by the numbers that are shown, so equals look equal."""
    shown = [None if cell.mean is None else round(cell.mean, digits) for cell in row]
    order = sorted({number for number in shown if number is not None}, reverse=True)
    steps = max(len(order) - 1, 1)
    cells = []
    for cell, number in zip(row, shown, strict=True):
        if number is not None:
            rank = 1 + order.index(number)
            shade = 1 - (rank - 1) / steps if len(order) > 1 else 0.5
            cell = replace(cell, rank=rank, shade=shade)
        cells.append(cell)
    return tuple(cells)
