"""The statistics of a study as sheets: verdicts, intervals, areas, potentials, classes."""

from collections.abc import Callable, Mapping, Sequence

from salx.report import statistics, tables, words
from salx.report.paper import Paper
from salx.report.sheets import AMOUNT, Head, Item, Sheet, amount
from salx.report.tables import SCALE, Cell, Table, Tally
from salx.report.values import RANDOM, Column, Result, Study, Work, taken
from salx.report.words import MISSING, plain

POINTS = "percent points"


def verdicts(built: Sequence[Table], study: Study) -> Sheet:
    """How often each policy beats random, off the diagonal and on it."""

    def row(name: str, of: Sequence[Table], own: bool) -> tuple[Item, ...]:
        count: Tally = tables.tally(of, own)
        digits = of[0].digits
        sources = tuple(
            result.source for t in of for cell in t.cells if cell.gain and cell.own == own
            for result in cell.results
        )  # fmt: skip
        gain = MISSING if count.gain is None else words.signed(count.gain, digits)
        tested = study.seeds > 1 and count.compared
        return (
            Item(name),
            Item("itself" if own else "another model"),
            Item(f"{count.better} of {count.compared}", (count.better, count.compared), sources),
            Item(str(count.above) if tested else MISSING, (count.above if tested else None,)),
            Item(str(count.below) if tested else MISSING, (count.below if tested else None,)),
            Item(gain, (count.gain,)),
        )

    names = [(plain(table.policy), [table]) for table in built]
    if len(built) > 1:
        names.append(("all", list(built)))
    rows = [row(name, of, own) for name, of in names for own in (False, True)]
    seeds = words.counted(study.seeds, "seed")
    sure = (
        f"Beyond chance: p below 5 % in a paired t-test over {seeds}, Holm-corrected over the grid."
        if study.seeds > 1
        else "One seed: no test, so nothing is known beyond chance."
    )
    return Sheet(
        name="verdicts",
        title="How often better than random",
        caption=f"Pairs that can be compared with random at the last budget, {seeds}. {sure}",
        heads=(
            Head("chosen by"), Head("for"), Head("better", ("better", "of")),
            Head("beyond chance", ("n",)), Head("worse beyond chance", ("n",)),
            Head(f"mean gain ({POINTS})", ("mean",)),
        ),
        rows=tuple(r for r in rows if r[2].numbers[1]),
    )  # fmt: skip


def intervals(built: Sequence[Table]) -> Sheet:
    """Every pair's gain over random with both intervals and both p-values."""

    def row(table: Table, cell: Cell) -> tuple[Item, ...]:
        gain, digits = cell.gain, table.digits
        boot = statistics.bootstrap(gain.differences)
        return (
            Item(cell.deployment),
            Item(cell.column.surrogate),
            Item(plain(table.policy)),
            Item(words.gained(gain, digits), (gain.mean,), sources(cell)),
            Item(str(gain.n), (gain.n,)),
            Item(words.interval(gain, digits) or MISSING, (gain.low, gain.high)),
            Item(words.span(boot, digits) if boot else MISSING, boot or (None, None)),
            Item(words.chance(gain.p), (gain.p,)),
            Item(words.chance(gain.holm), (gain.holm,)),
        )

    return Sheet(
        name="gains",
        title="Every gain, with its intervals",
        caption=(
            f"Gains over random in {POINTS}, paired by seed; n seeds. The t-interval takes the "
            "differences for normal; the percentile bootstrap (9,999 resamples) does not, and is "
            "too narrow over few seeds: over three it covers the mean in about three of four "
            "studies. p: paired t-test, two-sided; then Holm-corrected for all of these gains. "
            "From one seed there is neither interval nor p. Random's runs are in the table above."
        ),
        heads=(
            Head("trained"), Head("chosen by"), Head("policy"), Head("gain", ("mean",)),
            Head("n", ("seeds",)), Head("95 %, t", ("low", "high")),
            Head("95 %, bootstrap", ("low", "high")), Head("p", ("value",)),
            Head("p, Holm", ("value",)),
        ),
        rows=tuple(row(table, cell) for table in built for cell in table.cells if cell.gain),
    )  # fmt: skip


def sources(cell: Cell) -> tuple[str, ...]:
    return tuple(result.source for result in cell.results)


def areas(built: Sequence[Table], study: Study) -> Sheet:
    """The mean result over the budget, and its gain over random's."""
    cycles = sorted({0, *study.deploy_cycles})
    budgets = ", ".join(f"{study.budgets[cycle]:,}" for cycle in cycles)

    def item(table: Table, cell: Cell) -> Item:
        gain = cell.gain
        text = words.spread(cell, table.digits)
        if gain:
            text += "\n" + words.gained(gain, table.digits)
            text += f" {words.interval(gain, table.digits)}".rstrip()
        note = words.shortfall(cell.n, table.seeds)
        numbers = (cell.mean, cell.std, cell.n, *((gain.mean, gain.low, gain.high, gain.holm)
                   if gain else (None,) * 4))  # fmt: skip
        return Item(text + (f"\n{note}" if note else ""), numbers, sources(cell))

    several = len(built) > 1
    fields = ("mean", "std", "n", "gain", "low", "high", "p_holm")
    return Sheet(
        name="areas",
        title="Over the whole budget",
        caption=(
            f"Area under the curve of {study.metric} ({study.unit}) against the budget, over its "
            f"width: the mean result from {study.budgets[0]:,} to {study.budgets[cycles[-1]]:,} "
            f"labelled, by trapezoids through the results at {budgets}. Below it the gain over "
            "random, paired by seed, and its 95 % t-interval. A seed without a point is left out."
        ),
        heads=(
            Head("trained"), *([Head("policy")] if several else []),
            *(Head(label, fields) for label in built[0].labels),
        ),
        rows=tuple(
            (
                Item(row[0].deployment), *([Item(plain(table.policy))] if several else []),
                *(item(table, cell) for cell in row),
            )
            for table in built for row in table.rows
        ),
    )  # fmt: skip


def by_seed(results: Mapping[int, Result]) -> dict[int, float]:
    return {seed: SCALE * result.value for seed, result in results.items()}


def potential(work: Work, model: str) -> dict[int, Result]:
    """A model's results after training on the whole pool, by seed."""
    return {r.seed: r for r in work.potentials if r.deployment == model}


def potentials(work: Work, paper: Paper | None) -> Sheet:
    """What a model reaches on the whole pool, and how much of that the budget gives."""
    study, last = work.study, work.study.deploy_cycles[-1]
    models = [m for m in study.deployments if potential(work, m)]
    chosen = [Column("", policy) for policy in study.policies]

    def share(model: str, column: Column, whole: float) -> Item:
        who = column if column == RANDOM else Column(model, column.policy)
        found = taken(work, model, who, last)
        if not found:
            return Item(MISSING, (None, None))
        mean = statistics.mean(list(by_seed(found).values()))
        text = f"{words.number(mean, study.digits)}\n{words.percent(mean, whole)}"
        return Item(text, (mean, mean / whole), tuple(r.source for r in found.values()))

    def row(model: str) -> tuple[Item, ...]:
        found = potential(work, model)
        own = amount(by_seed(found), study.digits, [r.source for r in found.values()])
        if paper and (theirs := paper.potential.get(paper.names.get(model, ""))):
            own = own._replace(text=f"{own.text}\npaper {theirs}")
        return Item(model), own, *(share(model, c, own.numbers[0]) for c in (*chosen, RANDOM))

    return Sheet(
        name="potentials",
        title="How much of the potential",
        caption=(
            f"Potential: {study.metric} ({study.unit}) after training on all "
            f"{study.dataset['pool']:,} examples. Beside it the mean at {study.budgets[last]:,} "
            "labelled, of the model's own choice by each policy and of random, and its share of "
            "the potential."
        ),
        heads=(
            Head("trained"), Head("potential", AMOUNT),
            *(Head(plain(column.policy), ("mean", "share")) for column in (*chosen, RANDOM)),
        ),
        rows=tuple(row(model) for model in models),
    )  # fmt: skip


def classes(work: Work) -> Sheet:
    """Each class under random, and its mean gain over that off the diagonal, by policy."""
    study, last = work.study, work.study.deploy_cycles[-1]
    names = study.dataset["classes"]
    level: list[list[float]] = [[] for _ in names]
    for deployment in study.deployments:
        for result in taken(work, deployment, RANDOM, last).values():
            for values, value in zip(level, result.classes, strict=False):
                values += [] if value is None else [SCALE * value]
    gained = {policy: class_gains(work, policy, last) for policy in study.policies}

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
            *(Head(plain(policy), ("gain", "n")) for policy in study.policies),
        ),
        rows=tuple(
            (
                Item(str(name)), item(level[place], words.number),
                *(item(by_class[place], words.signed) for by_class in gained.values()),
            )
            for place, name in enumerate(names) if level[place]
        ),
    )  # fmt: skip


def class_gains(work: Work, policy: str, cycle: int) -> list[list[float]]:
    """For each class the paired gains over random of all pairs off the diagonal and seeds."""
    gained: list[list[float]] = [[] for _ in work.study.dataset["classes"]]
    for deployment in work.study.deployments:
        random = taken(work, deployment, RANDOM, cycle)
        for surrogate in work.study.surrogates:
            chosen = taken(work, deployment, Column(surrogate, policy), cycle)
            for seed in chosen.keys() & random if surrogate != deployment else ():
                both = zip(gained, chosen[seed].classes, random[seed].classes, strict=False)
                for values, one, other in both:
                    if one is not None and other is not None:
                        values.append(SCALE * (one - other))
    return gained
