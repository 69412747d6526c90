"""What kind of chooser each surrogate is, and whether that foretells the deployments' gain.

The paper's Section 5.4 asks this of the entropy's mean and spread. Model and scores are looked at
before the first choice, when every surrogate was trained on the same random examples and scores
the same rest; picks are all those up to the last budget.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from salx.report import selections, statistics
from salx.report.selections import FIRST, Evidence, Scores
from salx.report.tables import SCALE, Cell, Table
from salx.report.types import Column, Study, Work, taken

Seeds = Mapping[int, float]


class Trait(NamedTuple):
    """One diagnostic of one column: a number for each seed that has it, and its files."""

    values: Seeds
    sources: tuple[str, ...]


class Measure(NamedTuple):
    """A diagnostic's field, name, explanation and decimals."""

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


def separation(values: np.ndarray) -> float:
    """(mean of the top tenth - mean of the others) / standard deviation; 0 of equal scores."""
    values = np.sort(values.astype(np.float64))
    top = max(1, round(len(values) / 10))
    spread = values.std()
    return float((values[-top:].mean() - values[:-top].mean()) / spread) if spread else 0.0


def jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    """|a & b| / |a | b|; 1 of two empty sets."""
    return len(a & b) / len(a | b) if a | b else 1.0


def agreement(a: Scores, b: Scores) -> float | None:
    """Spearman's correlation of two surrogates' scores of the examples that both scored."""
    _, at_a, at_b = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
    x, y = a.values[at_a], b.values[at_b]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    from scipy import stats

    return float(stats.spearmanr(x, y).statistic)


def balance(counts: Sequence[float]) -> float | None:
    """The entropy of class shares over log(classes), in 0..1; None of one class or of nothing."""
    if len(counts) < 2 or not sum(counts):
        return None
    from scipy import stats

    return float(stats.entropy(counts) / np.log(len(counts)))


def between(kind: Mapping, one: Column, other: Column, measure) -> dict[int, float]:
    """measure(a, b) of what two columns have of a kind, for the seeds in which both have it."""
    seeds = sorted(s for column, s in kind if column == one and (other, s) in kind)
    found = {s: measure(kind[one, s], kind[other, s]) for s in seeds}
    return {seed: value for seed, value in found.items() if value is not None}


def with_others(kind: Mapping, study: Study, column: Column, measure) -> dict[int, float]:
    """The mean over the policy's other surrogates, by seed."""
    rest = [Column(s, column.policy) for s in study.surrogates if s != column.surrogate]
    found = [between(kind, column, other, measure) for other in rest]
    seeds = sorted({seed for by_seed in found for seed in by_seed})
    return {s: statistics.mean([by_seed[s] for by_seed in found if s in by_seed]) for s in seeds}


def traits(work: Work, found: Evidence, column: Column) -> dict[str, Trait]:
    """Every measure of one surrogate under one policy; what was not recorded has no values."""
    study, last = work.study, work.study.deploy_cycles[-1]
    start = taken(work, column.surrogate, column, FIRST - 1)
    end = taken(work, column.surrogate, column, last)
    scores = {s: kept.values for (c, s), kept in found.scores.items() if c == column}

    def of_results(results, value) -> Trait:
        values = {s: SCALE * value(r) for s, r in results.items() if value(r) is not None}
        return Trait(values, tuple(results[s].source for s in values))

    def of_scores(value) -> Trait:
        values = {seed: float(value(kept)) for seed, kept in scores.items() if len(kept) > 1}
        return Trait(values, tuple(selections.scores_source(column, seed) for seed in values))

    def of_picks(values: Seeds) -> Trait:
        return Trait(values, tuple(selections.record_source(column, seed, last) for seed in values))

    agree = with_others(found.scores, study, column, agreement)
    return {
        "start": of_results(start, lambda r: r.value),
        "end": of_results(end, lambda r: r.value),
        "ece": of_results(start, lambda r: r.ece),
        "mean": of_scores(lambda v: v.mean(dtype=np.float64)),
        "spread": of_scores(lambda v: v.std(dtype=np.float64)),
        "separation": of_scores(separation),
        "agreement": Trait(agree, tuple(selections.scores_source(column, s) for s in agree)),
        "overlap": of_picks(with_others(found.chosen, study, column, jaccard)),
        "balance": of_passes(found, column, last, class_balance),
        "duplicates": of_passes(found, column, last, near_duplicates),
    }


def of_passes(found: Evidence, column: Column, last: int, value) -> Trait:
    """value(list of `picked`) by seed, over the cycles that recorded it."""
    values, sources = {}, []
    for seed in sorted({p.seed for p in found.passes if p.column == column}):
        own = [p for p in found.passes if (p.column, p.seed) == (column, seed) and p.cycle <= last]
        if (number := value([p.picked for p in own])) is not None:
            values[seed] = number
            sources += [p.source for p in own]
    return Trait(values, tuple(sources))


def class_balance(picked: Sequence[Mapping]) -> float | None:
    """Of all cycles' picks together."""
    counts = [p["classes"] for p in picked if p.get("classes")]
    return balance(np.sum(counts, axis=0)) if counts else None


def near_duplicates(picked: Sequence[Mapping]) -> float | None:
    """The mean over cycles, in percent; a pick is compared with those of its own cycle."""
    shares = [SCALE * p["near_duplicates"] for p in picked if p.get("near_duplicates") is not None]
    return statistics.mean(shares)


def pool_balance(found: Evidence) -> float | None:
    """The class balance of the whole pool, as any choice recorded it."""
    counts = (p.picked.get("pool_classes") for p in found.passes)
    return balance(next(filter(None, counts), ()))


def others(table: Table, surrogate: str) -> list[Cell]:
    """The cells of the other models trained on a surrogate's choice, those with a gain."""
    return [
        cell for cell in table.cells
        if cell.column.surrogate == surrogate and cell.gain and not cell.own
    ]  # fmt: skip


def foretold(
    table: Table, found: Mapping[str, Mapping[str, Trait]], field: str
) -> statistics.Correlation:
    """Spearman's correlation, over surrogates, of a diagnostic with the mean gain of the models
    trained on their choice; `found` by surrogate. One point a surrogate, so n is their number."""
    points = []
    for surrogate, own in found.items():
        gained = [cell.gain.mean for cell in others(table, surrogate)]
        values = own[field].values
        if gained and values:
            points.append((statistics.mean(list(values.values())), statistics.mean(gained)))
    return statistics.spearman(*([p[i] for p in points] for i in range(2)))
