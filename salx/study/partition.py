"""A grid shared out over workers, each of which never waits for another.

A share is whole selections, with the trainings by which they choose and those that are measured
on them; selections that choose by a common training stay together. The random column is needed
by all and costs next to nothing: every worker has the seeds of it that its share needs, and
trainings on it, or on the whole pool, are shared out singly.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from salx.infra.errors import ArgumentError, InputError, cut
from salx.infra.numbers import SHOWN, whole, whole_of
from salx.infra.paths import printable
from salx.study import grid
from salx.study.grid import Deployment, Grid, GridSpec, Selection
from salx.training.recipe import Recipe

MOST_WORKERS = 10_000  # that share a study


@dataclass(frozen=True)
class Cost:
    """Count what runs take.

    Attributes:
      steps: of training.
      trained: images in these steps.
      passed: images that go through once: scored or evaluated.
    """

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
    """Hold what the cost of a grid's runs depends on.

    Attributes:
      spec: the grid's.
      budgets: labelled examples after each cycle.
      pool: examples of the pool.
      val: examples of the validation split.
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
    """Count what the runs of a grid take of each model that they train.

    Args:
      scale: what costs depend on.
      work: the runs.

    Returns:
      {model's label: cost}.
    """
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
    """Count the multiply-accumulates (MACs) of a grid's runs.

    A training step takes three forward passes of its images.

    Args:
      scale: what costs depend on.
      work: the runs.

    Returns:
      Their number.
    """
    total = 0.0
    for model, cost in costs(scale, work).items():
        trained, passed = scale.macs[model]
        total += 3 * trained * cost.trained + passed * cost.passed
    return total


def independent_parts(config: GridSpec, work: Grid) -> list[Grid]:
    """Split a grid into the least parts of which none needs a training of another.

    Args:
      config: of the grid.
      work: the runs.

    Returns:
      Parts whose runs together are the grid's, but for the random columns, which are in none.
    """
    order = [selection for selection in work.selections if selection.surrogate]
    needed = {selection: grid.choosing(config, selection) for selection in order}
    group = _connected(needed)
    members: dict[Selection, Grid] = {group[selection]: Grid([], [], []) for selection in order}
    for selection in order:
        members[group[selection]].selections.append(selection)
    owner = {run: group[selection] for selection, runs in needed.items() for run in runs}
    for run in work.surrogates:
        members[owner[run]].surrogates.append(run)
    free = []
    for run in work.deployments:
        if run.selection.surrogate:
            members[group[run.selection]].deployments.append(run)
        else:
            free.append(run)
    return [*members.values(), *(Grid([], [], [run]) for run in free)]


def _connected(needed: Mapping[Selection, Sequence[Deployment]]) -> dict[Selection, Selection]:
    """For each selection one that stands for all that are joined to it by common trainings."""
    above = {selection: selection for selection in needed}

    def top(selection: Selection) -> Selection:
        while above[selection] != selection:
            above[selection] = selection = above[above[selection]]
        return selection

    first: dict[Deployment, Selection] = {}
    for selection, runs in needed.items():
        for run in runs:
            above[top(selection)] = top(first.setdefault(run, selection))
    return {selection: top(selection) for selection in needed}


def split(config: GridSpec, work: Grid, count: int, cost: Callable[[Grid], float]) -> list[Grid]:
    """Share a grid out over workers: the costliest part first, each to whoever has least so far.

    The same arguments give the same shares. R. L. Graham, "Bounds on multiprocessing timing
    anomalies", 1969: the largest is at most 4/3 of the least that is possible.

    Args:
      config: of the grid.
      work: the runs.
      count: how many workers.
      cost: (grid) -> what its runs cost, in any unit.

    Returns:
      A grid for each worker, with the random columns that it needs.
    """
    costs = sorted(
        ((cost(unit), unit) for unit in independent_parts(config, work)), key=lambda pair: -pair[0]
    )
    loads = [(0.0, index) for index in range(count)]  # a heap: the least first
    parts: list[list[Grid]] = [[] for _ in range(count)]
    for price, unit in costs:
        load, least = loads[0]
        heapq.heapreplace(loads, (load + price, least))
        parts[least].append(unit)
    order = {run: position for runs in work for position, run in enumerate(runs)}
    return [_joined(order, units) for units in parts]


def _joined(order: Mapping[Any, int], units: Sequence[Grid]) -> Grid:
    """The units as one grid, with the random column that they need, in the order of the whole,
    which tells the position of each of its runs.
    """
    chosen = {selection for unit in units for selection in unit.selections}
    trainings = [run for unit in units for run in unit.trainings]
    needed = {Selection(None, "random", selection.seed) for selection in chosen}
    needed |= chosen | {run.selection for run in trainings}
    lists = (
        [selection for selection in needed if selection in order],
        [run for unit in units for run in unit.surrogates],
        [run for unit in units for run in unit.deployments],
    )
    return Grid(*(sorted(runs, key=order.__getitem__) for runs in lists))


def check_worker(index: int, count: int) -> tuple[int, int]:
    """Check the number of one of several workers.

    Args:
      index: its number, from 0.
      count: how many they are.

    Returns:
      Both, as whole numbers.

    Raises:
      ArgumentError: for what is no worker.
    """
    whole("worker", count, 1, MOST_WORKERS)
    return whole("worker", index, 0, count - 1), count


def worker(text: str) -> tuple[int, int]:
    """Read a worker's number: `2/8` is the third of eight.

    Args:
      text: I/N, as the flag --worker has it.

    Returns:
      (I, N).

    Raises:
      InputError: for what is no worker.
    """
    index, _, count = text.partition("/")
    try:
        return check_worker(whole_of("worker", index), whole_of("worker", count))
    except ArgumentError as error:
        rule = f"must be I/N, with I from 0 to N - 1, and N at most {MOST_WORKERS}"
        raise InputError(f"--worker={printable(cut(text, SHOWN))}: {rule}") from error
