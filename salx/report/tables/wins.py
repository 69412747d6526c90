"""Show the win matrix of policies: each against each, in the same pairs, budgets and seeds."""

from salx.report.analysis.wins import wins
from salx.report.formatting import DAGGER, MISSING
from salx.report.load.types import RANDOM, Work
from salx.report.tables.table import Cell, Head, Table


def table(work: Work) -> Table:
    """Set policies against each other; none meets itself.

    Args:
      work: all results.

    Returns:
      A policy a row, and the one that it is compared with a column.
    """
    policies = (*work.study.policies, RANDOM.policy)
    titles = {policy: work.study.title(policy) for policy in policies}

    def cell(a: str, b: str) -> Cell:
        if a == b:
            return Cell("", (None, None, None))
        count = wins(work, a, b)
        if not count.n:
            return Cell(MISSING, (None, None, 0))
        sure = f"\n{count.certain} {DAGGER}" if count.certain else ""
        return Cell(f"{count.better} of {count.n}{sure}", count[:3], count.sources)

    if work.study.seeds > 1:
        sure = f"{DAGGER}: in so many the paired 95 % t-interval excludes zero, uncorrected."
    else:
        sure = "One seed gives no interval."
    return Table(
        name="policies",
        title="Policy against policy",
        caption=(
            "In how many settings the row's policy is better than the column's: the same "
            "deployment, surrogate and budget, the mean over the seeds that both have. " + sure
        ),
        heads=(
            Head("better \\ worse"),
            *(Head(titles[policy], ("better", "certain", "of")) for policy in policies),
        ),
        rows=tuple((Cell(titles[a]), *(cell(a, b) for b in policies)) for a in policies),
    )
