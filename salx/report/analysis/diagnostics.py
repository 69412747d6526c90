"""Say what kind of chooser each surrogate is, and whether that goes with the deployments' gain.

The paper's Section 5.4 asks this of the entropy's mean and spread. Model and scores are looked at
before the first choice, when every surrogate was trained on the same random examples and scores
the same rest; picks are all those up to the last budget.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from salx.report.analysis import statistics
from salx.report.analysis.grids import SCALE, Grid, Pair
from salx.report.analysis.measures import agreement, balance, jaccard, separation
from salx.report.load import selections
from salx.report.load.selections import FIRST, PickStatistics, SelectionFacts
from salx.report.load.types import Column, Result, StudyFacts, Work, by_seed

Seeds = Mapping[int, float]
BySeed = Mapping[tuple[Column, int], Any]  # scores, or picks, by who chose and seed
Pairwise = Callable[[Any, Any], float | None]


@dataclass(frozen=True)
class Trait:
    """Hold one diagnostic of one column.

    Attributes:
      values: a number for each seed that has it.
      sources: the files behind them, from the work folder.
    """

    values: Seeds
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Measure:
    """Say what a diagnostic is.

    Attributes:
      field: what the code calls it.
      name: what readers call it.
      about: what it measures.
      digits: decimals worth showing.
    """

    field: str
    name: str
    about: str
    digits: int = 2


MEASURES = (
    Measure("start", "result, start", "the surrogate's own metric after the random start, %", 1),
    Measure("end", "result, end", "its metric on all that it chose for itself, %", 1),
    Measure("ece", "calibration error", "expected calibration error after the random start, %", 1),
    Measure("mean", "mean score", "over the unlabelled rest; of entropy in nats"),
    Measure("spread", "spread", "standard deviation of these scores"),
    Measure("separation", "separation", "mean score of the top tenth less that of the others, in "
            "standard deviations"),
    Measure("agreement", "rank agreement", "mean Spearman correlation of the scores with the "
            "other surrogates'"),
    Measure("overlap", "overlap", "mean Jaccard overlap of the picks with the other surrogates'"),
    Measure("balance", "class balance", "entropy of the classes among the picks over its maximum: "
            "1 is even"),
    Measure("duplicates", "near-duplicates", "share of the picks that nearly repeat another, %", 1),
)  # fmt: skip


def between(kind: BySeed, one: Column, other: Column, measure: Pairwise) -> dict[int, float]:
    """Measure two columns against each other.

    Args:
      kind: what is measured, by who chose and seed.
      one: a column.
      other: another.
      measure: of what both have.

    Returns:
      The measure by seed, for the seeds in which both have it.
    """
    seeds = sorted(s for column, s in kind if column == one and (other, s) in kind)
    measured = {s: measure(kind[one, s], kind[other, s]) for s in seeds}
    return {seed: value for seed, value in measured.items() if value is not None}


def with_others(
    kind: BySeed, study: StudyFacts, column: Column, measure: Pairwise
) -> dict[int, float]:
    """Take the mean of a measure over the policy's other surrogates.

    Args:
      kind: what is measured, by who chose and seed.
      study: what the study is.
      column: a surrogate under a policy.
      measure: of what two columns have.

    Returns:
      The mean by seed.
    """
    rest = [Column(s, column.policy) for s in study.surrogates if s != column.surrogate]
    measured = [between(kind, column, other, measure) for other in rest]
    seeds = sorted({seed for values in measured for seed in values})
    return {s: statistics.mean([values[s] for values in measured if s in values]) for s in seeds}


def traits(work: Work, selected: SelectionFacts, column: Column) -> dict[str, Trait]:
    """Take every measure of one surrogate under one policy.

    Args:
      work: all results.
      selected: what choosing left.
      column: the surrogate and the policy.

    Returns:
      The traits by field; what was not recorded, or cannot be, has no values: an ensemble is
      never trained itself, so that it has no results.
    """
    study, last = work.study, work.study.deploy_cycles[-1]
    start = by_seed(work, column.surrogate, column, FIRST - 1)
    end = by_seed(work, column.surrogate, column, last)
    scores = {s: scores.values for (c, s), scores in selected.scores.items() if c == column}

    def of_results(results: dict[int, Result], value: Callable[[Result], float | None]) -> Trait:
        values = {s: SCALE * value(r) for s, r in results.items() if value(r) is not None}
        return Trait(values, tuple(results[s].source for s in values))

    def of_scores(value: Callable[[Float[np.ndarray, " n"]], float]) -> Trait:
        values = {seed: float(value(array)) for seed, array in scores.items() if len(array) > 1}
        return Trait(values, tuple(selections.scores_source(column, seed) for seed in values))

    def of_picks(values: Seeds) -> Trait:
        return Trait(values, tuple(selections.record_source(column, seed, last) for seed in values))

    agree = with_others(selected.scores, study, column, agreement)
    return {
        "start": of_results(start, lambda r: r.value),
        "end": of_results(end, lambda r: r.value),
        "ece": of_results(start, lambda r: r.ece),
        "mean": of_scores(lambda v: v.mean(dtype=np.float64)),
        "spread": of_scores(lambda v: v.std(dtype=np.float64)),
        "separation": of_scores(separation),
        "agreement": Trait(agree, tuple(selections.scores_source(column, s) for s in agree)),
        "overlap": of_picks(with_others(selected.chosen, study, column, jaccard)),
        "balance": of_passes(selected, column, last, class_balance),
        "duplicates": of_passes(selected, column, last, near_duplicates),
    }


def of_passes(
    selected: SelectionFacts,
    column: Column,
    last: int,
    value: Callable[[Sequence[PickStatistics]], float | None],
) -> Trait:
    """Measure the picks of each seed, over the cycles that recorded them.

    Args:
      selected: what choosing left.
      column: who chose.
      last: the last cycle that counts.
      value: measures the picks of several cycles.

    Returns:
      The measure, with the files of the choices.
    """
    values, sources = {}, []
    for seed in sorted({p.seed for p in selected.passes if p.column == column}):
        passes = [
            p for p in selected.passes if (p.column, p.seed) == (column, seed) and p.cycle <= last
        ]
        if (number := value([p.picked for p in passes])) is not None:
            values[seed] = number
            sources += [p.source for p in passes]
    return Trait(values, tuple(sources))


def class_balance(picked: Sequence[PickStatistics]) -> float | None:
    """Balance the classes of all cycles' picks together.

    Args:
      picked: what each cycle recorded.

    Returns:
      0 to 1; None where no cycle recorded the classes.
    """
    counts = [p.classes for p in picked if p.classes]
    return balance(np.sum(counts, axis=0)) if counts else None


def near_duplicates(picked: Sequence[PickStatistics]) -> float | None:
    """Take the mean share of near-duplicates over cycles.

    A pick is compared with those of its own cycle.

    Args:
      picked: what each cycle recorded.

    Returns:
      Percent; None where no cycle recorded it.
    """
    shares = [SCALE * p.near_duplicates for p in picked if p.near_duplicates is not None]
    return statistics.mean(shares)


def pool_balance(selected: SelectionFacts) -> float | None:
    """Balance the classes of the whole pool, as any choice recorded them.

    Args:
      selected: what choosing left.

    Returns:
      0 to 1; None where none recorded them.
    """
    counts = (p.picked.pool_classes for p in selected.passes)
    return balance(next(filter(None, counts), ()))


def others(grid: Grid, surrogate: str) -> list[Pair]:
    """Take the pairs of the other models trained on a surrogate's choice that have a gain.

    Args:
      grid: a policy's.
      surrogate: the label of who chose.

    Returns:
      The pairs, by deployment.
    """
    return [
        pair for pair in grid.pairs
        if pair.column.surrogate == surrogate and pair.gain and not pair.diagonal
    ]  # fmt: skip


def correlation_with_gain(
    grid: Grid, traits_by_surrogate: Mapping[str, Mapping[str, Trait]], field: str
) -> statistics.Correlation:
    """Correlate a diagnostic with the mean gain of the models trained on the surrogates' choices.

    Args:
      grid: a policy's.
      traits_by_surrogate: every measure by its field, by surrogate.
      field: that of the diagnostic.

    Returns:
      Spearman's correlation over surrogates: one point a surrogate, so n is their number.
    """
    points = []
    for surrogate, by_field in traits_by_surrogate.items():
        gains = [pair.gain.mean for pair in others(grid, surrogate)]
        values = by_field[field].values
        if gains and values:
            points.append((statistics.mean(list(values.values())), statistics.mean(gains)))
    x, y = [point[0] for point in points], [point[1] for point in points]
    return statistics.spearman(x, y)
