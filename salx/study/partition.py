"""A grid shared out over workers, each of which never waits for another.

A share is whole selections, with the trainings by which they choose and those that are measured
on them; selections that choose by a common training stay together. The random column is needed
by all and costs next to nothing: every worker has the seeds of it that its share needs, and
trainings on it, or on the whole pool, are shared out singly.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from salx import records
from salx.infra.errors import InputError
from salx.study import grid
from salx.study.grid import Grid, Selection


class Cost(NamedTuple):
    """Steps of training, images in them, and images that are seen once: scored or evaluated."""

    steps: int = 0
    trained: int = 0
    seen: int = 0


class CostModel(NamedTuple):
    """What the effort of a grid's runs depends on: the examples of pool and validation split,
    and of each model its Recipe and the MACs of a training image and of one seen once."""

    config: dict[str, Any]
    pool: int
    val: int
    recipes: Mapping[str, Any]
    macs: Mapping[str, tuple[float, float]]

    @property
    def budgets(self) -> list[int]:
        return records.budgets(self.pool, self.config["budget"], self.config["cycles"])


def costs(scale: CostModel, work: Grid) -> dict[str, Cost]:
    """What the runs of a grid take of each model that they train."""
    total = {}

    def add(model: str, *more: int) -> None:
        have = total.get(model, Cost())
        total[model] = Cost(*(a + b for a, b in zip(have, more, strict=True)))

    budgets = scale.budgets
    for run in work.trainings:
        recipe = scale.recipes[run.model]
        steps = recipe.total_steps(grid.labelled(run, budgets, scale.pool))
        add(run.model, steps, steps * recipe.batch, scale.val)
    for selection in work.selections:
        if selection.surrogate:
            for have, run in zip(budgets, grid.choosing(scale.config, selection), strict=False):
                add(run.model, 0, 0, scale.pool - have)
    return total


def operations(scale: CostModel, work: Grid) -> float:
    """The MACs of a grid's runs; a step of training takes three forward passes of its images."""
    total = 0.0
    for model, effort in costs(scale, work).items():
        trained, seen = scale.macs[model]
        total += 3 * trained * effort.trained + seen * effort.seen
    return total


def independent_parts(config: dict[str, Any], work: Grid) -> list[Grid]:
    """The least parts of a grid of which none needs a training of another."""
    groups: list[tuple[list[Selection], set]] = []
    for selection in work.selections:
        if not selection.surrogate:
            continue
        members, asked = [selection], set(grid.choosing(config, selection))
        apart = [group for group in groups if not group[1] & asked]
        for group in groups:
            if group[1] & asked:
                members, asked = group[0] + members, group[1] | asked
        groups = [*apart, (members, asked)]
    parts = [
        Grid(
            members,
            [run for run in work.surrogates if run in asked],
            [run for run in work.deployments if run.selection in members],
        )
        for members, asked in groups
    ]
    free = [run for run in work.deployments if not run.selection.surrogate]
    return parts + [Grid([], [], [run]) for run in free]


def split(
    config: dict[str, Any], work: Grid, count: int, cost: Callable[[Grid], float]
) -> list[Grid]:
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
    return [joined(work, part) for part in parts]


def joined(work: Grid, part: Sequence[Grid]) -> Grid:
    """The units as one grid, in the order of the whole, with the random column that they need."""
    chosen = {selection for unit in part for selection in unit.selections}
    trainings = {run for unit in part for run in unit.trainings}
    asked = {Selection(None, "random", selection.seed) for selection in chosen}
    asked |= chosen | {run.selection for run in trainings}
    return Grid(
        [selection for selection in work.selections if selection in asked],
        [run for run in work.surrogates if run in trainings],
        [run for run in work.deployments if run in trainings],
    )


def worker(text: str) -> tuple[int, int]:
    """`2/8`: the third of eight. Raises InputError for what is no worker."""
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise InputError(f"--worker={text}: must be I/N, with I from 0 to N - 1")
    return int(index), int(count)
