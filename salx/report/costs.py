"""What a study took, on what, and the runs behind its numbers."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from salx.infra import sealed
from salx.report import formatting
from salx.report.formatting import MISSING
from salx.report.selections import Evidence
from salx.report.sheets import Head, Item, Sheet
from salx.report.types import Column, Result, Work


class Origin(NamedTuple):
    """A run, who chose what it was trained on, and the digest of the record of that choice."""

    label: str
    result: Result
    record: str | None


def everything(work: Work) -> list[Result]:
    return [*work.results.values(), *work.potentials]


def training(work: Work) -> Sheet:
    """What training and evaluation took, by model."""

    def row(name: str, parameters: int | None, own: list[Result]) -> tuple[Item, ...]:
        train, evaluate = (
            sum(r.seconds.get(kind, 0) for r in own) for kind in ("train", "evaluate")
        )
        steps = sum(r.steps for r in own)
        return (
            Item(name), Item(f"{parameters:,}" if parameters else MISSING, (parameters,)),
            Item(f"{len(own):,}", (len(own),), tuple(r.source for r in own)),
            Item(f"{steps:,}", (steps,)), Item(formatting.seconds(train), (train,)),
            Item(formatting.seconds(evaluate), (evaluate,)),
        )  # fmt: skip

    found, models = everything(work), work.study.models
    names = dict.fromkeys([*work.study.deployments, *models])
    rows = [row(m, models.get(m), [r for r in found if r.deployment == m]) for m in names]
    return Sheet(
        name="training",
        title="Training",
        caption="Sums over the runs that are done; time as measured on the machines named below.",
        heads=(
            Head("trained"), Head("parameters", ("count",)), Head("runs", ("count",)),
            Head("steps", ("count",)), Head("training", ("seconds",)),
            Head("evaluation", ("seconds",)),
        ),
        rows=(*rows, row("all", None, found)),
    )  # fmt: skip


def choosing(work: Work, found: Evidence) -> Sheet:
    """What scoring the pool took, by who scored."""

    def row(name: str, own: list) -> tuple[Item, ...]:
        images, seconds = sum(p.images for p in own), sum(p.seconds for p in own)
        rate = images / seconds if seconds else None
        return (
            Item(name), Item(f"{len(own):,}", (len(own),), tuple(p.source for p in own)),
            Item(f"{images:,}", (images,)), Item(formatting.seconds(seconds), (seconds,)),
            Item(f"{rate:,.0f}" if rate else MISSING, (rate,)),
        )  # fmt: skip

    passes = [p for p in found.passes if p.images]  # a random choice scores nothing
    columns = dict.fromkeys(p.column for p in passes)
    rows = [row(work.study.label(c), [p for p in passes if p.column == c]) for c in columns]
    return Sheet(
        name="choosing",
        title="Choosing",
        caption="Passes over the unlabelled pool: the examples scored, and how long it took.",
        heads=(
            Head("scored by"), Head("passes", ("count",)), Head("examples", ("count",)),
            Head("time", ("seconds",)), Head("examples a second", ("rate",)),
        ),
        rows=(*rows, row("all", passes)),
    )  # fmt: skip


def environments(work: Work) -> list[tuple[dict[str, Any], int]]:
    """The distinct environments of the runs, the most frequent first, with their counts."""
    first = {sealed.canonical(r.environment): r.environment for r in everything(work)}
    seen = Counter(sealed.canonical(r.environment) for r in everything(work))
    return [(first[key], count) for key, count in sorted(seen.items(), key=lambda e: (-e[1], e[0]))]


def origins(work: Work, found: Evidence) -> Iterator[tuple[str, list[Origin]]]:
    """For each trained model all of its runs, and the records that these were trained on."""
    for model in dict.fromkeys(r.deployment for r in everything(work)):
        own = [r for r in everything(work) if r.deployment == model]
        yield model, [origin(work, found, result) for result in own]


def origin(work: Work, found: Evidence, result: Result) -> Origin:
    if result.cycle is None:
        return Origin("nobody: the whole pool", result, None)
    column = Column(result.surrogate, result.policy)
    record = found.digests.get((column.selection(result.seed), result.cycle))
    return Origin(work.study.label(column), result, record)
