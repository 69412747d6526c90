"""A grid shared out over workers, each of which never waits for another.

A share is whole selections, with the trainings by which they choose and those that are measured
on them; selections that choose by a common training stay together. The random column is needed
by all and costs next to nothing: every worker has the seeds of it that its share needs, and
trainings on it, or on the whole pool, are shared out singly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from salx.infra.errors import InputError
from salx.study import grid
from salx.study.grid import Grid, GridSpec, Selection
from salx.training.recipe import Recipe


@dataclass(frozen=True)
class Cost:
    """Steps of training, images in them, and images that go through once: scored or evaluated."""

    steps: int = 0
    trained: int = 0
    passed: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Add up, each for itself."""
        return Cost(
            self.steps + other.steps, self.trained + other.trained, self.passed + other.passed
        )


@dataclass(frozen=True)
class CostModel:
    """What the cost of a grid's runs depends on.

    Attributes:
      spec: the grid's.
      budgets: labelled examples after each cycle.
      pool, val: examples of the pool and of the validation split.
      recipes: of each model its Recipe.
      macs: of each model the multiply-accumulates of a training image and of one that passes.
    """

    spec: GridSpec
    budgets: Sequence[int]
    pool: int
    val: int
    recipes: Mapping[str, Recipe]
    macs: Mapping[str, tuple[float, float]]


def costs(scale: CostModel, work: Grid) -> dict[str, Cost]:
    """Count what the runs of a grid take of each model that they train."""
    total: dict[str, Cost] = {}

    def add(model: str, cost: Cost) -> None:
        total[model] = total.get(model, Cost()) + cost

    for run in work.trainings:
        recipe = scale.recipes[run.model]
        steps = recipe.total_steps(grid.labelled(run, scale.budgets, scale.pool))
        add(run.model, Cost(steps, steps * recipe.batch, scale.val))
    for selection in work.selections:
        if selection.surrogate:
            for cycle in range(1, scale.spec.cycles):
                for run in grid.surrogates(scale.spec, selection, cycle):
                    add(run.model, Cost(passed=scale.pool - scale.budgets[cycle - 1]))
    return total


def operations(scale: CostModel, work: Grid) -> float:
    """Count the MACs of a grid's runs; a training step takes three forward passes of its images."""
    total = 0.0
    for model, cost in costs(scale, work).items():
        trained, passed = scale.macs[model]
        total += 3 * trained * cost.trained + passed * cost.passed
    return total


def independent_parts(config: GridSpec, work: Grid) -> list[Grid]:
    """The least parts of a grid of which none needs a training of another."""
    groups: list[tuple[list[Selection], set]] = []
    for selection in work.selections:
        if not selection.surrogate:
            continue
        members, needed = [selection], set(grid.choosing(config, selection))
        apart = [group for group in groups if not group[1] & needed]
        for group in groups:
            if group[1] & needed:
                members, needed = group[0] + members, group[1] | needed
        groups = [*apart, (members, needed)]
    parts = [
        Grid(
            members,
            [run for run in work.surrogates if run in needed],
            [run for run in work.deployments if run.selection in members],
        )
        for members, needed in groups
    ]
    free = [run for run in work.deployments if not run.selection.surrogate]
    return parts + [Grid([], [], [run]) for run in free]


def split(config: GridSpec, work: Grid, count: int, cost: Callable[[Grid], float]) -> list[Grid]:
    """The shares of `count` workers: the costliest unit first, each to who has least so far.

    The same arguments give the same shares. R. L. Graham, "Bounds on multiprocessing timing
    anomalies", 1969: the largest is at most 4/3 of the least that is possible.
    """
    costs = sorted(
        ((cost(unit), unit) for unit in independent_parts(config, work)), key=lambda pair: -pair[0]
    )
    loads, parts = [0.0] * count, [[] for _ in range(count)]
    for price, unit in costs:
        least = loads.index(min(loads))
        loads[least] += price
        parts[least].append(unit)
    return [joined(work, units) for units in parts]


def joined(work: Grid, units: Sequence[Grid]) -> Grid:
    """The units as one grid, in the order of the whole, with the random column that they need."""
    chosen = {selection for unit in units for selection in unit.selections}
    trainings = {run for unit in units for run in unit.trainings}
    needed = {Selection(None, "random", selection.seed) for selection in chosen}
    needed |= chosen | {run.selection for run in trainings}
    return Grid(
        [selection for selection in work.selections if selection in needed],
        [run for run in work.surrogates if run in trainings],
        [run for run in work.deployments if run in trainings],
    )


def worker(text: str) -> tuple[int, int]:
    """`2/8`: the third of eight. Raises InputError for what is no worker."""
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise InputError(f"--worker={text}: must be I/N, with I from 0 to N - 1")
    return int(index), int(count)
