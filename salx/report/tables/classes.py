"""Show the metric class by class: who gains where somebody chose."""

from collections.abc import Callable

from salx.report import formatting
from salx.report.analysis import statistics
from salx.report.analysis.classes import gains, levels
from salx.report.formatting import MISSING
from salx.report.load.types import Work
from salx.report.tables.table import Cell, Head, Table


def table(work: Work) -> Table:
    """Show each class under random, and its mean gain over that off the diagonal.

    Args:
      work: all results.

    Returns:
      A class that was measured a row, random and then a policy a column.
    """
    study, last = work.study, work.study.deploy_cycles[-1]
    names = study.dataset.classes
    level = levels(work, last)
    gained = {policy: gains(work, policy, last) for policy in study.policies}

    def cell(values: list[float], show: Callable[[float], str]) -> Cell:
        mean = statistics.mean(values)
        return Cell(MISSING if mean is None else show(mean), (mean, len(values)))

    return Table(
        name="classes",
        title="Class by class",
        caption=(
            f"{study.metric} ({study.unit}) of each class under random, the mean over deployments "
            f"and seeds at {study.budgets[last]:,} labelled, and the mean gain over it of models "
            "trained on a surrogate's choice, from the runs of the tables above. Means alone: "
            "nothing here is tested."
        ),
        heads=(
            Head("class"), Head("random", ("mean", "n")),
            *(Head(study.title(policy), ("gain", "n")) for policy in study.policies),
        ),
        rows=tuple(
            (
                Cell(str(name)), cell(level[index], formatting.number),
                *(cell(by_class[index], formatting.signed) for by_class in gained.values()),
            )
            for index, name in enumerate(names) if level[index]
        ),
        folded=True,
    )  # fmt: skip
