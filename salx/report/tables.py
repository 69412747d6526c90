"""The deployment x surrogate table: who chose, who was trained on it, and how well it did."""

from collections.abc import Sequence
from typing import NamedTuple

from salx.report import statistics
from salx.report.statistics import Gain
from salx.report.values import RANDOM, Column, Work, taken

SCALE = 100  # fractions inside result files, percent points in tables
DIGITS = 1

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
    runs: tuple[str, ...] = ()
    rank: int | None = None
    shade: float | None = None

    @property
    def own(self) -> bool:
        """Whether the model was trained on what it chose itself: the diagonal."""
        return self.deployment == self.column.surrogate


class Table(NamedTuple):
    """Rows of cells, one row a deployment, columns as in the study, after one cycle."""

    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    cycle: int
    labelled: int
    pool: int
    seeds: int
    metric: str
    unit: str

    @property
    def cells(self) -> list[Cell]:
        return [cell for row in self.rows for cell in row]


def build(work: Work, cycle: int | None = None) -> Table:
    """The table of one cycle, the last deployed one unless told otherwise."""
    study = work.study
    cycle = study.deploy_cycles[-1] if cycle is None else cycle
    return Table(
        columns=study.columns,
        labels=tuple(study.label(column) for column in study.columns),
        rows=tuple(
            ranked([cell(work, deployment, column, cycle) for column in study.columns])
            for deployment in study.deployments
        ),
        cycle=cycle,
        labelled=study.budgets[cycle],
        pool=study.dataset["pool"],
        seeds=study.seeds,
        metric=study.metric,
        unit=study.unit,
    )


def cell(work: Work, deployment: str, column: Column, cycle: int) -> Cell:
    found = taken(work, deployment, column, cycle)
    values = {seed: SCALE * result.value for seed, result in found.items()}
    gain = None
    if column != RANDOM:
        random = taken(work, deployment, RANDOM, cycle)
        baseline = {seed: SCALE * result.value for seed, result in random.items()}
        gain = statistics.paired_gain(values, baseline)
    return Cell(
        deployment=deployment,
        column=column,
        n=len(values),
        mean=statistics.mean(list(values.values())),
        std=statistics.deviation(list(values.values())),
        gain=gain,
        runs=tuple(result.run for result in found.values()),
    )


def ranked(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """Gives a row its ranks and shades: by the numbers that are shown, so equals look equal."""
    shown = [None if cell.mean is None else round(cell.mean, DIGITS) for cell in row]
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
