"""Show the metric class by class: who gains where somebody chose."""

from collections.abc import Callable

from salx.report import formatting, statistics
from salx.report.formatting import MISSING
from salx.report.sheets import Head, Item, Sheet
from salx.report.tables import SCALE
from salx.report.types import RANDOM, Column, Work, by_seed


def sheet(work: Work) -> Sheet:
    """Show each class under random, and its mean gain over that off the diagonal, by policy."""
    study, last = work.study, work.study.deploy_cycles[-1]
    names = study.dataset.classes
    level: list[list[float]] = [[] for _ in names]
    for deployment in study.deployments:
        for result in by_seed(work, deployment, RANDOM, last).values():
            for values, value in zip(level, result.classes, strict=False):
                values += [] if value is None else [SCALE * value]
    gained = {policy: gains(work, policy, last) for policy in study.policies}

    def item(values: list[float], show: Callable[[float], str]) -> Item:
        mean = statistics.mean(values)
        return Item(MISSING if mean is None else show(mean), (mean, len(values)))

    return Sheet(
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
                Item(str(name)), item(level[index], formatting.number),
                *(item(by_class[index], formatting.signed) for by_class in gained.values()),
            )
            for index, name in enumerate(names) if level[index]
        ),
    )  # fmt: skip


def gains(work: Work, policy: str, cycle: int) -> list[list[float]]:
    """Pair with random, for each class, all pairs off the diagonal by seed."""
    gained: list[list[float]] = [[] for _ in work.study.dataset.classes]
    for deployment in work.study.deployments:
        random = by_seed(work, deployment, RANDOM, cycle)
        for surrogate in work.study.surrogates:
            chosen = by_seed(work, deployment, Column(surrogate, policy), cycle)
            for seed in chosen.keys() & random if surrogate != deployment else ():
                both = zip(gained, chosen[seed].classes, random[seed].classes, strict=False)
                for values, one, other in both:
                    if one is not None and other is not None:
                        values.append(SCALE * (one - other))
    return gained
