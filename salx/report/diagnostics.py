"""Say what kind of chooser each surrogate is, and whether that goes with the deployments' gain.

The paper's Section 5.4 asks this of the entropy's mean and spread. Model and scores are looked at
before the first choice, when every surrogate was trained on the same random examples and scores
the same rest; picks are all those up to the last budget.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from salx.report import selections, statistics
from salx.report.measures import agreement, balance, jaccard, separation
from salx.report.selections import FIRST, PickStatistics, SelectionFacts
from salx.report.tables import SCALE, Cell, Table
from salx.report.types import Column, Result, StudyFacts, Work, by_seed

Seeds = Mapping[int, float]
BySeed = Mapping[tuple[Column, int], Any]  # scores, or picks, by who chose and seed
Pairwise = Callable[[Any, Any], float | None]


@dataclass(frozen=True)
class Trait:
    """Hold one diagnostic of one column: a number for each seed that has it, and its files."""

    values: Seeds
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Measure:
    """Hold a diagnostic's field, name, explanation and decimals."""

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
    """Measure what two columns have of a kind, for the seeds in which both have it."""
    seeds = sorted(s for column, s in kind if column == one and (other, s) in kind)
    measured = {s: measure(kind[one, s], kind[other, s]) for s in seeds}
    return {seed: value for seed, value in measured.items() if value is not None}


def with_others(
    kind: BySeed, study: StudyFacts, column: Column, measure: Pairwise
) -> dict[int, float]:
    """Take the mean of a measure over the policy's other surrogates, by seed."""
    rest = [Column(s, column.policy) for s in study.surrogates if s != column.surrogate]
    measured = [between(kind, column, other, measure) for other in rest]
    seeds = sorted({seed for values in measured for seed in values})
    return {s: statistics.mean([values[s] for values in measured if s in values]) for s in seeds}


def traits(work: Work, selected: SelectionFacts, column: Column) -> dict[str, Trait]:
    """Take every measure of one surrogate under one policy.

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

    def of_scores(value: Callable[[np.ndarray], float]) -> Trait:
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
    """Measure the picks of each seed, over the cycles up to `last` that recorded them."""
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
    """Balance the classes of all cycles' picks together."""
    counts = [p.classes for p in picked if p.classes]
    return balance(np.sum(counts, axis=0)) if counts else None


def near_duplicates(picked: Sequence[PickStatistics]) -> float | None:
    """Take the mean over cycles, in percent; a pick is compared with those of its own cycle."""
    shares = [SCALE * p.near_duplicates for p in picked if p.near_duplicates is not None]
    return statistics.mean(shares)


def pool_balance(selected: SelectionFacts) -> float | None:
    """Balance the classes of the whole pool, as any choice recorded them."""
    counts = (p.picked.pool_classes for p in selected.passes)
    return balance(next(filter(None, counts), ()))


def others(table: Table, surrogate: str) -> list[Cell]:
    """Take the cells of the other models trained on a surrogate's choice that have a gain."""
    return [
        cell for cell in table.cells
        if cell.column.surrogate == surrogate and cell.gain and not cell.diagonal
    ]  # fmt: skip


def correlation_with_gain(
    table: Table, traits_by_surrogate: Mapping[str, Mapping[str, Trait]], field: str
) -> statistics.Correlation:
    """Correlate the ranks of a diagnostic, over surrogates, with those of the mean gain of the
    models trained on their choice. One point a surrogate, so n is their number."""
    points = []
    for surrogate, by_field in traits_by_surrogate.items():
        gains = [cell.gain.mean for cell in others(table, surrogate)]
        values = by_field[field].values
        if gains and values:
            points.append((statistics.mean(list(values.values())), statistics.mean(gains)))
    x, y = [point[0] for point in points], [point[1] for point in points]
    return statistics.spearman(x, y)
