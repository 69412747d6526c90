"""Build grids of deployments by surrogates: who chose, who was trained on it, how well it did."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from salx.report.analysis import statistics
from salx.report.analysis.statistics import Gain
from salx.report.load.types import RANDOM, Column, Result, Work, by_seed

SCALE = 100  # fractions inside result files, percent points in reports
Values = dict[int, float]  # percent points by seed


@dataclass(frozen=True)
class Pair:
    """Hold what a model reached on what somebody chose, in percent points; None is missing.

    Attributes:
      deployment: the label of the model that was trained.
      column: who chose.
      n: the number of seeds.
      mean: of the metric over seeds.
      std: its sample standard deviation.
      gain: over random, paired by seed.
      results: those behind the numbers.
      rank: 1 is the row's best; pairs that show the same number share it.
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
        """Tell whether the model was trained on what it chose itself."""
        return self.deployment == self.column.surrogate

    @property
    def runs(self) -> tuple[str, ...]:
        """Name the runs behind the numbers."""
        return tuple(result.run for result in self.results)

    @property
    def sources(self) -> tuple[str, ...]:
        """Name the files behind the numbers, from the work folder."""
        return tuple(result.source for result in self.results)


@dataclass(frozen=True)
class Grid:
    """Hold one policy's pairs: a row for each deployment, a column for each surrogate and random.

    Attributes:
      policy: its label in the study.
      title: what readers call it.
      oracle: whether it knows the labels.
      columns: who chose.
      labels: the name of each column.
      rows: the pairs of each deployment, in the order of the columns.
      cycle: the last one whose picks were trained on.
      labelled: the number of examples labelled by then.
      pool: the number of examples to choose from.
      seeds: those of the study.
      metric: its name.
      unit: that of the metric.
      digits: decimals worth showing.
    """

    policy: str
    title: str
    oracle: bool
    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[Pair, ...], ...]
    cycle: int
    labelled: int
    pool: int
    seeds: int
    metric: str
    unit: str
    digits: int

    @property
    def pairs(self) -> list[Pair]:
        """List the pairs of all rows."""
        return [pair for row in self.rows for pair in row]


class Tally(NamedTuple):
    """Count pairs of a surrogate and a deployment.

    Attributes:
      pairs: all of them.
      compared: those that have a gain.
      better: those whose mean is above random's.
      above: those that are better beyond chance.
      below: those that are worse beyond chance.
      gain: the mean gain in percent points; None where none is compared.
    """

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
    """Measure a model after one cycle.

    Args:
      work: all results.
      deployment: the model's label.
      column: who chose what it was trained on.
      cycle: counted from 0.

    Returns:
      Percent points by seed, and the results that they are from.
    """
    results = by_seed(work, deployment, column, cycle)
    points = {seed: SCALE * result.value for seed, result in results.items()}
    return points, tuple(results.values())


def area(
    work: Work, deployment: str, column: Column, cycle: int
) -> tuple[Values, tuple[Result, ...]]:
    """Measure a model's mean over the budget.

    It is taken from the first random cycle, over those in which every pair is trained.

    Args:
      work: all results.
      deployment: the model's label.
      column: who chose what it was trained on.
      cycle: the last one of the budget.

    Returns:
      Percent points by seed, and the results that they are from. A seed that lacks a point has
      none.
    """
    cycles = sorted({0, *(c for c in work.study.deploy_cycles if c <= cycle)})
    points = [by_seed(work, deployment, column, c) for c in cycles]
    labelled = [work.study.budgets[c] for c in cycles]
    areas = {}
    for seed in sorted(set.intersection(*map(set, points))):
        curve = [SCALE * results[seed].value for results in points]
        if (height := statistics.area(labelled, curve)) is not None:
            areas[seed] = height
    return areas, tuple(results[seed] for seed in areas for results in points)


def build(work: Work, cycle: int | None = None, measure: Measure = value) -> tuple[Grid, ...]:
    """Build the grids of one cycle, one for each policy.

    Args:
      work: all results.
      cycle: the last deployed one unless another is named.
      measure: what a pair shows of its results.

    Returns:
      The grids, whose p-values are corrected for all gains of all of them.
    """
    study = work.study
    cycle = study.deploy_cycles[-1] if cycle is None else cycle
    built = []
    for policy in study.policies:
        columns = (*(Column(surrogate, policy) for surrogate in study.surrogates), RANDOM)
        rows = [[pair(work, d, c, cycle, measure) for c in columns] for d in study.deployments]
        grid = Grid(
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
        built.append(grid)
    return corrected(built)


def pair(work: Work, deployment: str, column: Column, cycle: int, measure: Measure = value) -> Pair:
    """Measure one pair, and pair it with random by seed.

    Args:
      work: all results.
      deployment: the label of the model that was trained.
      column: who chose.
      cycle: counted from 0.
      measure: what is taken of the results.

    Returns:
      The pair, without rank and shade.
    """
    values, results = measure(work, deployment, column, cycle)
    gain = None
    if column != RANDOM:
        gain = statistics.paired_gain(values, measure(work, deployment, RANDOM, cycle)[0])
    return Pair(
        deployment=deployment,
        column=column,
        n=len(values),
        mean=statistics.mean(list(values.values())),
        std=statistics.deviation(list(values.values())),
        gain=gain,
        results=results,
    )


def corrected(grids: Sequence[Grid]) -> tuple[Grid, ...]:
    """Correct the p-values of the grids' gains, with Holm's method, for all of the gains.

    Args:
      grids: the grids.

    Returns:
      The same with `gain.holm`.
    """
    p = [pair.gain.p for t in grids for pair in t.pairs if pair.gain and pair.gain.p is not None]
    holm = iter(statistics.holm(p))

    def correct(pair: Pair) -> Pair:
        if not pair.gain or pair.gain.p is None:
            return pair
        return replace(pair, gain=pair.gain._replace(holm=next(holm)))

    return tuple(
        replace(grid, rows=tuple(tuple(map(correct, row)) for row in grid.rows)) for grid in grids
    )


def tally(grids: Iterable[Grid], diagonal: bool = False) -> Tally:
    """Count the pairs off the diagonal, or those on it.

    Args:
      grids: whose pairs are counted.
      diagonal: count the models that were trained on what they chose themselves.

    Returns:
      The counts.
    """
    pairs = [
        pair for grid in grids for pair in grid.pairs
        if pair.column.surrogate and pair.diagonal == diagonal
    ]  # fmt: skip
    gains = [pair.gain for pair in pairs if pair.gain]
    return Tally(
        pairs=len(pairs),
        compared=len(gains),
        better=sum(gain.mean > 0 for gain in gains),
        above=sum(gain.beyond_chance and gain.mean > 0 for gain in gains),
        below=sum(gain.beyond_chance and gain.mean < 0 for gain in gains),
        gain=statistics.mean([gain.mean for gain in gains]),
    )


def ranked(row: Sequence[Pair], digits: int = 1) -> tuple[Pair, ...]:
    """Rank and shade a row by the numbers that are shown, so that equals look equal.

    Args:
      row: its pairs.
      digits: decimals that are shown.

    Returns:
      The pairs with their ranks and shades.
    """
    shown = [None if pair.mean is None else round(pair.mean, digits) for pair in row]
    order = sorted({number for number in shown if number is not None}, reverse=True)
    steps = max(len(order) - 1, 1)
    pairs = []
    for pair, number in zip(row, shown, strict=True):
        if number is not None:
            rank = 1 + order.index(number)
            shade = 1 - (rank - 1) / steps if len(order) > 1 else 0.5
            pair = replace(pair, rank=rank, shade=shade)
        pairs.append(pair)
    return tuple(pairs)
