"""Show the surrogates' diagnostics: each alone, each with the others, and the gain."""

import math
from collections.abc import Callable, Mapping, Sequence

from salx.report import formatting
from salx.report.analysis import diagnostics, measures, statistics
from salx.report.analysis.diagnostics import MEASURES, Measure, Trait
from salx.report.analysis.grids import Grid
from salx.report.formatting import MISSING
from salx.report.load import selections
from salx.report.load.selections import SelectionFacts
from salx.report.load.types import RANDOM, Column, StudyFacts, Work
from salx.report.tables.table import AMOUNT, Cell, Head, Table, amount

Traits = Mapping[str, Mapping[str, Trait]]  # by surrogate, then by measure


def trait_table(work: Work, grid: Grid, selected: SelectionFacts) -> Table:
    """Show what kind of chooser each surrogate is, and what goes with the gain that it brought.

    Args:
      work: all results.
      grid: a policy's.
      selected: what choosing left.

    Returns:
      A diagnostic a row, a surrogate a column, then the correlation with the last row: the gain.
    """
    surrogates = work.study.surrogates
    traits = {s: diagnostics.traits(work, selected, Column(s, grid.policy)) for s in surrogates}

    def row(measure: Measure) -> tuple[Cell, ...]:
        row_traits = [traits[surrogate][measure.field] for surrogate in surrogates]
        return (
            Cell(f"{measure.name}\n{measure.about}"),
            *(amount(trait.values, measure.digits, trait.sources) for trait in row_traits),
            correlation(grid, traits, measure),
        )

    pool = diagnostics.pool_balance(selected)
    balance = f" The whole pool's class balance is {pool:.2f}." if pool is not None else ""
    return Table(
        name=f"diagnostics_{grid.policy}",
        title=f"What kind of chooser, and what foretells its worth: {grid.title}",
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
        rows=(*map(row, MEASURES), gained(grid, surrogates)),
    )


def gained(grid: Grid, surrogates: Sequence[str]) -> tuple[Cell, ...]:
    """Show what each surrogate's choice brought the other models: their mean gain over random.

    Args:
      grid: a policy's.
      surrogates: labels.

    Returns:
      A row of the table of diagnostics.
    """

    def cell(surrogate: str) -> Cell:
        pairs = diagnostics.others(grid, surrogate)
        gain = statistics.mean([pair.gain.mean for pair in pairs])
        sources = tuple(source for pair in pairs for source in pair.sources)
        text = MISSING if gain is None else formatting.signed(gain, 2)
        return Cell(text, (gain, None, len(pairs)), sources)

    about = "gain for others\nmean gain over random of the other models; n counts these"
    return Cell(about), *map(cell, surrogates), Cell("", (None, None, None))


def correlation(grid: Grid, traits: Traits, measure: Measure) -> Cell:
    """Show how a diagnostic goes with the gain: rho, p and the number of surrogates.

    Args:
      grid: a policy's.
      traits: of all surrogates.
      measure: the diagnostic.

    Returns:
      A cell of the last column.
    """
    rank = diagnostics.correlation_with_gain(grid, traits, measure.field)
    numbers = (rank.rho, rank.p, rank.n)
    if rank.rho is None:
        return Cell(f"{MISSING} (n = {rank.n})" if rank.n else "", numbers)
    p = formatting.chance(rank.p)
    equal = "" if p.startswith("<") else "= "
    return Cell(f"{formatting.signed(rank.rho, 2)}\np {equal}{p}, n = {rank.n}", numbers)


def power(n: int) -> str:
    """Say what so few surrogates can show at all: even perfect order has p = 2 / n!.

    Args:
      n: the number of surrogates.

    Returns:
      One or two sentences.
    """
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
) -> tuple[tuple[Cell, ...], ...]:
    """Set each against each.

    Args:
      columns: who chose.
      between: measures two of them, by seed.
      source: names the file that a column's measure of a seed is from.

    Returns:
      Rows of the mean ± standard deviation over seeds; none is set against itself.
    """

    def cell(one: Column, other: Column) -> Cell:
        if one == other:
            return Cell("", (None, None, None))
        seeds = between(one, other)
        return amount(seeds, 2, [source(c, s) for s in seeds for c in (one, other)])

    return tuple(
        (Cell(one.surrogate or one.policy), *(cell(one, other) for other in columns))
        for one in columns
    )


def overlap_table(study: StudyFacts, policy: str, selected: SelectionFacts) -> Table:
    """Show Jaccard's index of everything chosen, and of random's picks as what chance gives.

    Args:
      study: what the study is.
      policy: the label of the policy that chose.
      selected: what choosing left.

    Returns:
      Each surrogate, and random, against each.
    """
    columns = [*(Column(s, policy) for s in study.surrogates), RANDOM]
    last = study.deploy_cycles[-1]
    return Table(
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


def agreement_table(study: StudyFacts, policy: str, selected: SelectionFacts) -> Table:
    """Show Spearman's correlation of the scores before the first choice.

    Args:
      study: what the study is.
      policy: the label of the policy that chose.
      selected: what choosing left.

    Returns:
      Each surrogate against each.
    """
    columns = [Column(s, policy) for s in study.surrogates]
    return Table(
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
