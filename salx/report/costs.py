"""Show what a study took, on what, and the runs behind its numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from salx.infra import sealed
from salx.report import formatting
from salx.report.formatting import MISSING
from salx.report.selections import Pass, SelectionFacts
from salx.report.sheets import Head, Item, Sheet
from salx.report.types import Column, Result, Work


@dataclass(frozen=True)
class Origin:
    """Hold a run, who chose what it was trained on, and the digest of the record of that choice."""

    label: str
    result: Result
    record: str | None


def every_result(work: Work) -> list[Result]:
    """List the results of all runs, those on the whole pool included."""
    return [*work.results.values(), *work.potentials]


def training(work: Work) -> Sheet:
    """Sum what training and evaluation took, by model."""

    def row(name: str, parameters: int | None, runs: Sequence[Result]) -> tuple[Item, ...]:
        train, evaluate = (
            sum(r.seconds.get(kind, 0) for r in runs) for kind in ("train", "evaluate")
        )
        steps = sum(r.steps for r in runs)
        return (
            Item(name), Item(f"{parameters:,}" if parameters else MISSING, (parameters,)),
            Item(f"{len(runs):,}", (len(runs),), tuple(r.source for r in runs)),
            Item(f"{steps:,}", (steps,)), Item(formatting.seconds(train), (train,)),
            Item(formatting.seconds(evaluate), (evaluate,)),
        )  # fmt: skip

    results, models = every_result(work), work.study.models
    names = dict.fromkeys([*work.study.deployments, *models, *(r.deployment for r in results)])
    rows = [row(m, models.get(m), [r for r in results if r.deployment == m]) for m in names]
    return Sheet(
        name="training",
        title="Training",
        caption="Sums over the runs that are done; time as measured on the machines named below.",
        heads=(
            Head("trained"), Head("parameters", ("count",)), Head("runs", ("count",)),
            Head("steps", ("count",)), Head("training", ("seconds",)),
            Head("evaluation", ("seconds",)),
        ),
        rows=(*rows, row("all", None, results)),
    )  # fmt: skip


def choosing(work: Work, selected: SelectionFacts) -> Sheet:
    """Sum what scoring the pool took, by who scored."""

    def row(name: str, scored: Sequence[Pass]) -> tuple[Item, ...]:
        images, seconds = sum(p.images for p in scored), sum(p.seconds for p in scored)
        rate = images / seconds if seconds else None
        return (
            Item(name), Item(f"{len(scored):,}", (len(scored),), tuple(p.source for p in scored)),
            Item(f"{images:,}", (images,)), Item(formatting.seconds(seconds), (seconds,)),
            Item(f"{rate:,.0f}" if rate else MISSING, (rate,)),
        )  # fmt: skip

    passes = [p for p in selected.passes if p.images]  # a random choice scores nothing
    columns = dict.fromkeys(p.column for p in passes)
    rows = [row(work.study.label(c), [p for p in passes if p.column == c]) for c in columns]
    return Sheet(
        name="choosing",
        title="Choosing",
        caption="Passes over the unlabelled pool: the examples scored, and how long it took."
        + filled(work, selected),
        heads=(
            Head("scored by"), Head("passes", ("count",)), Head("examples", ("count",)),
            Head("time", ("seconds",)), Head("examples a second", ("rate",)),
        ),
        rows=(*rows, row("all", passes)),
    )  # fmt: skip


def filled(work: Work, selected: SelectionFacts) -> str:
    """Say how many examples were chosen at random because a policy returned fewer than asked.

    Returns:
      A sentence that names who and, where it is recorded, why; empty where there were none.
    """
    counts: Counter[Column] = Counter()
    reasons: dict[Column, dict[str, None]] = {}
    for p in selected.passes:
        if p.filled:
            counts[p.column] += p.filled
            reasons.setdefault(p.column, {}).update({p.reason: None} if p.reason else {})
    if not counts:
        return ""

    def share(column: Column) -> str:
        why = f" ({'; '.join(reasons[column])})" if reasons[column] else ""
        return f"{counts[column]:,} for {work.study.label(column)}{why}"

    return (
        f" Chosen at random, because the policy returned fewer than asked: "
        f"{', '.join(map(share, counts))}."
    )


def environments(work: Work) -> list[tuple[Mapping[str, Any], int]]:
    """Count the distinct environments of the runs, the most frequent first."""
    first = {sealed.canonical(r.environment): r.environment for r in every_result(work)}
    counts = Counter(sealed.canonical(r.environment) for r in every_result(work))
    return [
        (first[key], count) for key, count in sorted(counts.items(), key=lambda e: (-e[1], e[0]))
    ]


def origins(work: Work, selected: SelectionFacts) -> Iterator[tuple[str, list[Origin]]]:
    """List for each trained model all of its runs, and the records that these were trained on."""
    for model in dict.fromkeys(r.deployment for r in every_result(work)):
        runs = [r for r in every_result(work) if r.deployment == model]
        yield model, [origin(work, selected, result) for result in runs]


def origin(work: Work, selected: SelectionFacts, result: Result) -> Origin:
    """Tell who chose what a run was trained on."""
    if result.cycle is None:
        return Origin("nobody: the whole pool", result, None)
    column = Column(result.surrogate, result.policy)
    record = selected.digests.get((column.selection(result.seed), result.cycle))
    return Origin(work.study.label(column), result, record)
