"""The deployment x surrogate tables: who chose, who was trained on it, and how well it did."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from salx.report import statistics
from salx.report.statistics import Gain
from salx.report.types import RANDOM, Column, Result, Work, taken

SCALE = 100  # fractions inside result files, percent points in tables

# Worst, middle, best. Dark ink reads on all light shades, light ink on all dark ones.
LIGHT = ((0xF5, 0xD0, 0xBA), (0xF7, 0xF4, 0xE9), (0xA9, 0xDB, 0xD1))
DARK = ((0x5E, 0x33, 0x22), (0x35, 0x34, 0x30), (0x12, 0x54, 0x4B))


class Cell(NamedTuple):
    """One pair, in percent points over n seeds; None is what is missing.

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
    def own(self) -> bool:
        """Whether the model was trained on what it chose itself: the diagonal."""
        return self.deployment == self.column.surrogate

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(result.run for result in self.results)


class Table(NamedTuple):
    """One policy's rows of cells, one row a deployment, a column for each surrogate and random."""

    policy: str
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
        return [cell for row in self.rows for cell in row]


class Tally(NamedTuple):
    """Pairs of a surrogate and a deployment: how many, compared, better than random, above and
    below random beyond chance, and the mean gain in percent points."""

    pairs: int
    compared: int
    better: int
    above: int
    below: int
    gain: float | None


Measure = Callable[[Work, str, Column, int], tuple[dict[int, float], tuple[Result, ...]]]


def value(work: Work, deployment: str, column: Column, cycle: int):
    """Percent points by seed after one cycle, and the results that they are from."""
    found = taken(work, deployment, column, cycle)
    return {seed: SCALE * result.value for seed, result in found.items()}, tuple(found.values())


def area(work: Work, deployment: str, column: Column, cycle: int):
    """Mean percent points by seed over the budget, from the first random cycle over those in
    which every pair is trained up to `cycle`. A seed that lacks one has none."""
    cycles = sorted({0, *(c for c in work.study.deploy_cycles if c <= cycle)})
    found = [taken(work, deployment, column, c) for c in cycles]
    labelled = [work.study.budgets[c] for c in cycles]
    areas = {}
    for seed in sorted(set.intersection(*(set(by_seed) for by_seed in found))):
        curve = [SCALE * by_seed[seed].value for by_seed in found]
        if (height := statistics.area(labelled, curve)) is not None:
            areas[seed] = height
    return areas, tuple(by_seed[seed] for seed in areas for by_seed in found)


def build(work: Work, cycle: int | None = None, measure: Measure = value) -> tuple[Table, ...]:
    """The tables of one cycle, the last deployed one unless told otherwise, one for each policy.

    P-values are corrected for all gains of all tables.
    """
    study = work.study
    cycle = study.deploy_cycles[-1] if cycle is None else cycle
    built = []
    for policy in study.policies:
        columns = (*(Column(surrogate, policy) for surrogate in study.surrogates), RANDOM)
        rows = [[cell(work, d, c, cycle, measure) for c in columns] for d in study.deployments]
        table = Table(
            policy=policy,
            columns=columns,
            labels=tuple(column.surrogate or column.policy for column in columns),
            rows=tuple(ranked(row, study.digits) for row in rows),
            cycle=cycle,
            labelled=study.budgets[cycle],
            pool=study.dataset["pool"],
            seeds=study.seeds,
            metric=study.metric,
            unit=study.unit,
            digits=study.digits,
        )
        built.append(table)
    return corrected(built)


def cell(work: Work, deployment: str, column: Column, cycle: int, measure: Measure) -> Cell:
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
    """The tables with Holm's correction for all of their gains."""
    p = [cell.gain.p for t in tables for cell in t.cells if cell.gain and cell.gain.p is not None]
    holm = iter(statistics.holm(p))

    def correct(cell: Cell) -> Cell:
        if not cell.gain or cell.gain.p is None:
            return cell
        return cell._replace(gain=cell.gain._replace(holm=next(holm)))

    return tuple(
        table._replace(rows=tuple(tuple(map(correct, row)) for row in table.rows))
        for table in tables
    )


def tally(tables: Iterable[Table], own: bool = False) -> Tally:
    """Counts the pairs off the diagonal, or with `own` those on it."""
    pairs = [
        cell for table in tables for cell in table.cells
        if cell.column.surrogate and cell.own == own
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
    """Gives a row its ranks and shades: by the numbers that are shown, so equals look equal."""
    shown = [None if cell.mean is None else round(cell.mean, digits) for cell in row]
    order = sorted({value for value in shown if value is not None}, reverse=True)
    steps = max(len(order) - 1, 1)
    placed = []
    for cell, value in zip(row, shown, strict=True):
        if value is not None:
            rank = 1 + order.index(value)
            shade = 1 - (rank - 1) / steps if len(order) > 1 else 0.5
            cell = cell._replace(rank=rank, shade=shade)
        placed.append(cell)
    return tuple(placed)


def colour(shade: float, scale=LIGHT) -> str:
    """`#rrggbb` on the way from worst (0) over the middle (0.5) to best (1)."""
    low, high = scale[:2] if shade < 0.5 else scale[1:]
    part = 2 * shade if shade < 0.5 else 2 * shade - 1
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high, strict=True))
