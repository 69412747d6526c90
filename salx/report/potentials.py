"""Show what models reach on the whole pool, and how much of that the budget gives."""

from collections.abc import Mapping

from salx.report import formatting, statistics
from salx.report.formatting import MISSING
from salx.report.paper import Paper
from salx.report.sheets import AMOUNT, Head, Item, Sheet, amount
from salx.report.tables import SCALE
from salx.report.types import RANDOM, Column, Result, Work, by_seed


def points(results: Mapping[int, Result]) -> dict[int, float]:
    """Take percent points by seed."""
    return {seed: SCALE * result.value for seed, result in results.items()}


def of(work: Work, model: str) -> dict[int, Result]:
    """Take a model's results after training on the whole pool, by seed."""
    return {r.seed: r for r in work.potentials if r.deployment == model}


def sheet(work: Work, paper: Paper | None) -> Sheet:
    """Show a model a row; the paper's potential beside ours where it gives one."""
    study, last = work.study, work.study.deploy_cycles[-1]
    models = [m for m in study.deployments if of(work, m)]
    chosen = [Column("", policy) for policy in study.policies]

    def share(model: str, column: Column, whole: float) -> Item:
        who = column if column == RANDOM else Column(model, column.policy)
        results = by_seed(work, model, who, last)
        if not results:
            return Item(MISSING, (None, None))
        mean = statistics.mean(list(points(results).values()))
        text = f"{formatting.number(mean, study.digits)}\n{formatting.percent(mean, whole)}"
        return Item(text, (mean, mean / whole), tuple(r.source for r in results.values()))

    def row(model: str) -> tuple[Item, ...]:
        results = of(work, model)
        whole = amount(points(results), study.digits, [r.source for r in results.values()])
        if paper and (theirs := paper.potential.get(paper.names.get(model, ""))):
            whole = whole._replace(text=f"{whole.text}\npaper {theirs}")
        return Item(model), whole, *(share(model, c, whole.numbers[0]) for c in (*chosen, RANDOM))

    return Sheet(
        name="potentials",
        title="How much of the potential",
        caption=(
            f"Potential: {study.metric} ({study.unit}) after training on all "
            f"{study.dataset.pool:,} examples. Beside it the mean at {study.budgets[last]:,} "
            "labelled, of the model's own choice by each policy and of random, and its share of "
            "the potential."
        ),
        heads=(
            Head("trained"), Head("potential", AMOUNT),
            *(Head(study.title(column.policy), ("mean", "share")) for column in (*chosen, RANDOM)),
        ),
        rows=tuple(row(model) for model in models),
    )  # fmt: skip
