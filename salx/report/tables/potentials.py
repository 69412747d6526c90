"""Show how much of what models reach on the whole pool the budget gives."""

from salx.report import formatting
from salx.report.analysis import statistics
from salx.report.analysis.potentials import of, points
from salx.report.formatting import MISSING
from salx.report.load.paper import Paper
from salx.report.load.types import RANDOM, Column, Work, by_seed
from salx.report.tables.table import AMOUNT, Cell, Head, Table, amount


def table(work: Work, repeated: Paper | None) -> Table:
    """Show each model's potential, and its share that choosing reaches.

    Args:
      work: all results.
      repeated: the table of the paper that the study repeats; its potentials are named.

    Returns:
      A model that was trained on the whole pool a row.
    """
    study, last = work.study, work.study.deploy_cycles[-1]
    models = [m for m in study.deployments if of(work, m)]
    chosen = [Column("", policy) for policy in study.policies]

    def share(model: str, column: Column, whole: float) -> Cell:
        who = column if column == RANDOM else Column(model, column.policy)
        results = by_seed(work, model, who, last)
        if not results:
            return Cell(MISSING, (None, None))
        mean = statistics.mean(list(points(results).values()))
        text = f"{formatting.number(mean, study.digits)}\n{formatting.percent(mean, whole)}"
        return Cell(text, (mean, mean / whole), tuple(r.source for r in results.values()))

    def row(model: str) -> tuple[Cell, ...]:
        results = of(work, model)
        whole = amount(points(results), study.digits, [r.source for r in results.values()])
        if repeated and (theirs := repeated.potential.get(repeated.names.get(model, ""))):
            whole = whole._replace(text=f"{whole.text}\npaper {theirs}")
        return Cell(model), whole, *(share(model, c, whole.numbers[0]) for c in (*chosen, RANDOM))

    return Table(
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
