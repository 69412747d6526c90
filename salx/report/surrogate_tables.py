"""Make sheets of the surrogates' diagnostics: each alone, each with the others, and the gain."""

import math
from collections.abc import Callable, Mapping, Sequence

from salx.report import diagnostics, formatting, measures, selections, statistics
from salx.report.diagnostics import MEASURES, Measure, Trait
from salx.report.formatting import MISSING
from salx.report.selections import SelectionFacts
from salx.report.sheets import AMOUNT, Head, Item, Sheet, amount
from salx.report.tables import Table
from salx.report.types import RANDOM, Column, StudyFacts, Work

Traits = Mapping[str, Mapping[str, Trait]]  # by surrogate, then by measure


def sheets(work: Work, selected: SelectionFacts, built: Sequence[Table]) -> list[Sheet]:
    """Make for each policy the sheets of traits, of overlaps and of rank agreements."""
    made = []
    for table in built:
        made.append(trait_sheet(work, table, selected))
        made.append(overlap_sheet(work.study, table.policy, selected))
        if any(column.policy == table.policy for column, _ in selected.scores):
            made.append(agreement_sheet(work.study, table.policy, selected))
    return made


def trait_sheet(work: Work, table: Table, selected: SelectionFacts) -> Sheet:
    """Show a diagnostic a row, a surrogate a column, then its correlation with the last row: the
    gain that the surrogates' choices brought."""
    surrogates = work.study.surrogates
    traits = {s: diagnostics.traits(work, selected, Column(s, table.policy)) for s in surrogates}

    def row(measure: Measure) -> tuple[Item, ...]:
        row_traits = [traits[surrogate][measure.field] for surrogate in surrogates]
        return (
            Item(f"{measure.name}\n{measure.about}"),
            *(amount(trait.values, measure.digits, trait.sources) for trait in row_traits),
            correlation(table, traits, measure),
        )

    pool = diagnostics.pool_balance(selected)
    balance = f" The whole pool's class balance is {pool:.2f}." if pool is not None else ""
    return Sheet(
        name=f"diagnostics_{table.policy}",
        title=f"What kind of chooser, and what foretells its worth: {table.title}",
        caption=(
            f"{formatting.over(work.study.seeds)}{balance} Last column: Spearman's rank "
            "correlation, over surrogates, of the diagnostic with the last row. There n counts "
            "surrogates: pairs and seeds share them, so they add no independent points. "
            f"{power(len(surrogates))}"
        ),
        heads=(
            Head("diagnostic"),
            *(Head(surrogate, AMOUNT) for surrogate in surrogates),
            Head("foretells the gain", ("rho", "p", "n")),
        ),
        rows=(*map(row, MEASURES), gained(table, surrogates)),
    )


def gained(table: Table, surrogates: Sequence[str]) -> tuple[Item, ...]:
    """Show what each surrogate's choice brought the other models: their mean gain over random."""

    def item(surrogate: str) -> Item:
        cells = diagnostics.others(table, surrogate)
        gain = statistics.mean([cell.gain.mean for cell in cells])
        sources = tuple(source for cell in cells for source in cell.sources)
        text = MISSING if gain is None else formatting.signed(gain, 2)
        return Item(text, (gain, None, len(cells)), sources)

    about = "gain for others\nmean gain over random of the other models; n counts these"
    return Item(about), *map(item, surrogates), Item("", (None, None, None))


def correlation(table: Table, traits: Traits, measure: Measure) -> Item:
    """Show how a diagnostic goes with the gain: rho, p and the number of surrogates."""
    rank = diagnostics.correlation_with_gain(table, traits, measure.field)
    numbers = (rank.rho, rank.p, rank.n)
    if rank.rho is None:
        return Item(f"{MISSING} (n = {rank.n})" if rank.n else "", numbers)
    p = formatting.chance(rank.p)
    equal = "" if p.startswith("<") else "= "
    return Item(f"{formatting.signed(rank.rho, 2)}\np {equal}{p}, n = {rank.n}", numbers)


def power(n: int) -> str:
    """Say what so few surrogates can show at all: even perfect order has p = 2 / n!."""
    if n < 3:
        return f"With n = {n} there is no correlation to speak of."
    least = min(1.0, 2 / math.factorial(n))
    tests = f"p: by permutation, not corrected for there being {len(MEASURES)} diagnostics."
    if least > 1 - statistics.LEVEL:
        return (
            f"n = {n} is too small: even a perfect order has p = {least:.2f}, so nothing here can "
            f"be told from chance. {tests}"
        )
    few = f"With n = {n} only a nearly perfect order can be told from chance. " if n < 8 else ""
    return few + tests


def matrix(
    columns: Sequence[Column],
    between: Callable[[Column, Column], Mapping[int, float]],
    source: Callable[[Column, int], str],
) -> tuple[tuple[Item, ...], ...]:
    """Set each against each, the mean ± standard deviation over seeds."""

    def item(one: Column, other: Column) -> Item:
        if one == other:
            return Item("", (None, None, None))
        seeds = between(one, other)
        return amount(seeds, 2, [source(c, s) for s in seeds for c in (one, other)])

    return tuple(
        (Item(one.surrogate or one.policy), *(item(one, other) for other in columns))
        for one in columns
    )


def overlap_sheet(study: StudyFacts, policy: str, selected: SelectionFacts) -> Sheet:
    """Show Jaccard's index of everything chosen, and of random's picks as what chance gives."""
    columns = [*(Column(s, policy) for s in study.surrogates), RANDOM]
    last = study.deploy_cycles[-1]
    return Sheet(
        name=f"overlap_{policy}",
        title=f"Who chooses the same: {study.title(policy)}",
        caption=(
            f"Jaccard overlap of what two chose up to {study.budgets[last]:,} labelled, without "
            "the shared random start: examples that both chose over those that either did. Random "
            f"shows what chance gives. {formatting.over(study.seeds)}"
        ),
        heads=(Head(""), *(Head(c.surrogate or c.policy, AMOUNT) for c in columns)),
        rows=matrix(
            columns,
            lambda a, b: diagnostics.between(selected.chosen, a, b, measures.jaccard),
            lambda column, seed: selections.record_source(column, seed, last),
        ),
    )


def agreement_sheet(study: StudyFacts, policy: str, selected: SelectionFacts) -> Sheet:
    """Show Spearman's correlation of the scores before the first choice."""
    columns = [Column(s, policy) for s in study.surrogates]
    return Sheet(
        name=f"agreement_{policy}",
        title=f"Who ranks alike: {study.title(policy)}",
        caption=(
            "Spearman's rank correlation of two surrogates' scores before the first choice, when "
            "both were trained on the same random examples and score the same rest. "
            f"{formatting.over(study.seeds)}"
        ),
        heads=(Head(""), *(Head(column.surrogate, AMOUNT) for column in columns)),
        rows=matrix(
            columns,
            lambda a, b: diagnostics.between(selected.scores, a, b, measures.agreement),
            selections.scores_source,
        ),
    )
