"""The win matrix of policies: each against each, in the same pairs, budgets and seeds.

J. T. Ash et al., ICLR 2020, compare policies so; here every deployed pair counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from salx.report import statistics
from salx.report.formatting import DAGGER, MISSING, plain
from salx.report.sheets import Head, Item, Sheet
from salx.report.tables import SCALE
from salx.report.types import RANDOM, Column, Result, Work, taken


class Wins(NamedTuple):
    """In how many of n settings the row's mean is above the column's, and in how many of these
    beyond the 95 % t-interval of the paired difference."""

    better: int
    certain: int
    n: int
    sources: tuple[str, ...] = ()


def settings(work: Work, a: str, b: str) -> Iterator[tuple[dict[int, Result], dict[int, Result]]]:
    """Results by seed under policies a and b of the same pair after the same cycle, past the
    random start. Random needs no surrogate: it meets a policy once for each of them."""
    for deployment in work.study.deployments:
        for surrogate in work.study.surrogates:
            for cycle in work.study.deploy_cycles:
                if cycle:
                    columns = [
                        RANDOM if p == RANDOM.policy else Column(surrogate, p) for p in (a, b)
                    ]
                    yield tuple(taken(work, deployment, column, cycle) for column in columns)


def wins(work: Work, a: str, b: str) -> Wins:
    """How often policy a is better than policy b."""
    better, certain, n, sources = 0, 0, 0, []
    for one, other in settings(work, a, b):
        values = [{s: SCALE * r.value for s, r in found.items()} for found in (one, other)]
        gain = statistics.paired_gain(*values)
        if gain:
            n += 1
            better += gain.mean > 0
            certain += gain.low is not None and gain.low > 0
            sources += [result.source for found in (one, other) for result in found.values()]
    return Wins(better, certain, n, tuple(dict.fromkeys(sources)))


def sheet(work: Work) -> Sheet:
    """Rows against columns; a policy does not meet itself."""
    policies = (*work.study.policies, RANDOM.policy)

    def item(a: str, b: str) -> Item:
        if a == b:
            return Item("", (None, None, None))
        found = wins(work, a, b)
        if not found.n:
            return Item(MISSING, (None, None, 0))
        sure = f"\n{found.certain} {DAGGER}" if found.certain else ""
        return Item(f"{found.better} of {found.n}{sure}", found[:3], found.sources)

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
            *(Head(plain(policy), ("better", "certain", "of")) for policy in policies),
        ),
        rows=tuple((Item(plain(a)), *(item(a, b) for b in policies)) for a in policies),
    )
