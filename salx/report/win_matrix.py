"""Build the win matrix of policies: each against each, in the same pairs, budgets and seeds.

J. T. Ash et al., ICLR 2020, compare policies so; here every deployed pair counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from salx.report import statistics
from salx.report.formatting import DAGGER, MISSING
from salx.report.sheets import Head, Item, Sheet
from salx.report.tables import SCALE
from salx.report.types import RANDOM, Column, Result, Work, by_seed


class Wins(NamedTuple):
    """Count in how many of n settings the row's mean is above the column's, and in how many of
    these beyond the 95 % t-interval of the paired difference."""

    better: int
    certain: int
    n: int
    sources: tuple[str, ...] = ()


def settings(work: Work, a: str, b: str) -> Iterator[tuple[dict[int, Result], dict[int, Result]]]:
    """Take results by seed under policies a and b, of the same pair after the same cycle, past
    the random start. Random needs no surrogate: it meets a policy once for each of them."""
    for deployment in work.study.deployments:
        for surrogate in work.study.surrogates:
            for cycle in work.study.deploy_cycles:
                if cycle:
                    columns = [
                        RANDOM if p == RANDOM.policy else Column(surrogate, p) for p in (a, b)
                    ]
                    yield tuple(by_seed(work, deployment, column, cycle) for column in columns)


def wins(work: Work, a: str, b: str) -> Wins:
    """Count how often policy a is better than policy b."""
    better, certain, n, sources = 0, 0, 0, []
    for one, other in settings(work, a, b):
        values = [{s: SCALE * r.value for s, r in results.items()} for results in (one, other)]
        gain = statistics.paired_gain(*values)
        if gain:
            n += 1
            better += gain.mean > 0
            certain += gain.low is not None and gain.low > 0
            sources += [result.source for results in (one, other) for result in results.values()]
    return Wins(better, certain, n, tuple(dict.fromkeys(sources)))


def sheet(work: Work) -> Sheet:
    """Set rows against columns; a policy does not meet itself."""
    policies = (*work.study.policies, RANDOM.policy)
    titles = {policy: work.study.title(policy) for policy in policies}

    def item(a: str, b: str) -> Item:
        if a == b:
            return Item("", (None, None, None))
        count = wins(work, a, b)
        if not count.n:
            return Item(MISSING, (None, None, 0))
        sure = f"\n{count.certain} {DAGGER}" if count.certain else ""
        return Item(f"{count.better} of {count.n}{sure}", count[:3], count.sources)

    if work.study.seeds > 1:
        sure = f"{DAGGER}: in so many the paired 95 % t-interval excludes zero, uncorrected."
    else:
        sure = "One seed gives no interval."
    return Sheet(
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
        rows=tuple((Item(titles[a]), *(item(a, b) for b in policies)) for a in policies),
    )
