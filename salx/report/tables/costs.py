"""Show what a study took."""

from collections import Counter
from collections.abc import Sequence

from salx.report import formatting
from salx.report.analysis.origins import every_result
from salx.report.formatting import MISSING
from salx.report.load.selections import Pass, SelectionFacts
from salx.report.load.types import Column, Result, Work
from salx.report.tables.table import Cell, Head, Table


def training(work: Work) -> Table:
    """Sum what training and evaluation took.

    Args:
      work: all results.

    Returns:
      A model a row, and one for all of them.
    """

    def row(name: str, parameters: int | None, runs: Sequence[Result]) -> tuple[Cell, ...]:
        train, evaluate = (
            sum(r.seconds.get(kind, 0) for r in runs) for kind in ("train", "evaluate")
        )
        steps = sum(r.steps for r in runs)
        return (
            Cell(name), Cell(f"{parameters:,}" if parameters else MISSING, (parameters,)),
            Cell(f"{len(runs):,}", (len(runs),), tuple(r.source for r in runs)),
            Cell(f"{steps:,}", (steps,)), Cell(formatting.seconds(train), (train,)),
            Cell(formatting.seconds(evaluate), (evaluate,)),
        )  # fmt: skip

    results, models = every_result(work), work.study.models
    names = dict.fromkeys([*work.study.deployments, *models, *(r.deployment for r in results)])
    rows = [row(m, models.get(m), [r for r in results if r.deployment == m]) for m in names]
    return Table(
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


def choosing(work: Work, selected: SelectionFacts) -> Table:
    """Sum what scoring the pool took.

    Args:
      work: all results.
      selected: what choosing left.

    Returns:
      A row for each that scored, and one for all of them.
    """

    def row(name: str, scored: Sequence[Pass]) -> tuple[Cell, ...]:
        images, seconds = sum(p.images for p in scored), sum(p.seconds for p in scored)
        rate = images / seconds if seconds else None
        return (
            Cell(name), Cell(f"{len(scored):,}", (len(scored),), tuple(p.source for p in scored)),
            Cell(f"{images:,}", (images,)), Cell(formatting.seconds(seconds), (seconds,)),
            Cell(f"{rate:,.0f}" if rate else MISSING, (rate,)),
        )  # fmt: skip

    passes = [p for p in selected.passes if p.images]  # a random choice scores nothing
    columns = dict.fromkeys(p.column for p in passes)
    rows = [row(work.study.label(c), [p for p in passes if p.column == c]) for c in columns]
    return Table(
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

    Args:
      work: all results.
      selected: what choosing left.

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
