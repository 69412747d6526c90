"""Make sheets of a study's statistics: how often better than random, how surely, by how much."""

from collections.abc import Sequence

from salx.report import formatting, statistics, tables, verdict
from salx.report.formatting import MISSING
from salx.report.sheets import Head, Item, Sheet
from salx.report.tables import Cell, Table, Tally
from salx.report.types import StudyFacts

POINTS = "percent points"


def verdicts(built: Sequence[Table], study: StudyFacts) -> Sheet:
    """Count how often each policy beats random, off the diagonal and on it."""

    def row(name: str, of: Sequence[Table], diagonal: bool) -> tuple[Item, ...]:
        count: Tally = tables.tally(of, diagonal)
        digits = of[0].digits
        sources = tuple(
            source for t in of for cell in t.cells if cell.gain and cell.diagonal == diagonal
            for source in cell.sources
        )  # fmt: skip
        gain = MISSING if count.gain is None else formatting.signed(count.gain, digits)
        tested = study.seeds > 1 and count.compared
        return (
            Item(name),
            Item("itself" if diagonal else "another model"),
            Item(f"{count.better} of {count.compared}", (count.better, count.compared), sources),
            Item(str(count.above) if tested else MISSING, (count.above if tested else None,)),
            Item(str(count.below) if tested else MISSING, (count.below if tested else None,)),
            Item(gain, (count.gain,)),
        )

    names = [(table.title, [table]) for table in built]
    usable = verdict.usable(built)
    oracles = [table.title for table in built if table.oracle]
    if len(usable) > 1:
        rest = f"all but {formatting.both(oracles)}" if len(usable) < len(built) else "all"
        names.append((rest, list(usable)))
    rows = [row(name, of, diagonal) for name, of in names for diagonal in (False, True)]
    seeds = formatting.counted(study.seeds, "seed")
    sure = (
        f"Beyond chance: p below 5 % in a paired t-test over {seeds}, Holm-corrected over the grid."
        if study.seeds > 1
        else "One seed: no test, so nothing is known beyond chance."
    )
    oracle = ""
    if oracles:
        who = formatting.both(oracles)
        verb = "knows" if len(oracles) == 1 else "know"
        oracle = f" {who[0].upper()}{who[1:]} {verb} the labels: a reference, not a way to choose."
    return Sheet(
        name="verdicts",
        title="How often better than random",
        caption=f"Pairs compared with random at the last budget, {seeds}. {sure}{oracle}",
        heads=(
            Head("chosen by"), Head("for"), Head("better", ("better", "of")),
            Head("beyond chance", ("n",)), Head("worse beyond chance", ("n",)),
            Head(f"mean gain ({POINTS})", ("mean",)),
        ),
        rows=tuple(r for r in rows if r[2].numbers[1]),
    )  # fmt: skip


def intervals(built: Sequence[Table]) -> Sheet:
    """List every pair's gain over random with both intervals and both p-values."""

    def row(table: Table, cell: Cell) -> tuple[Item, ...]:
        gain, digits = cell.gain, table.digits
        boot = statistics.bootstrap(gain.differences)
        return (
            Item(cell.deployment),
            Item(cell.column.surrogate),
            Item(table.title),
            Item(formatting.gained(gain, digits), (gain.mean,), cell.sources),
            Item(str(gain.n), (gain.n,)),
            Item(formatting.interval(gain, digits) or MISSING, (gain.low, gain.high)),
            Item(formatting.span(boot, digits) if boot else MISSING, boot or (None, None)),
            Item(formatting.chance(gain.p), (gain.p,)),
            Item(formatting.chance(gain.holm), (gain.holm,)),
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


def areas(built: Sequence[Table], study: StudyFacts) -> Sheet:
    """Show the mean result over the budget, and its gain over random's."""
    cycles = sorted({0, *study.deploy_cycles})
    budgets = ", ".join(f"{study.budgets[cycle]:,}" for cycle in cycles)

    def item(table: Table, cell: Cell) -> Item:
        gain = cell.gain
        text = formatting.spread(cell, table.digits)
        if gain:
            text += "\n" + formatting.gained(gain, table.digits)
            text += f" {formatting.interval(gain, table.digits)}".rstrip()
        note = formatting.shortfall(cell.n, table.seeds)
        numbers = (cell.mean, cell.std, cell.n, *((gain.mean, gain.low, gain.high, gain.holm)
                   if gain else (None,) * 4))  # fmt: skip
        return Item(text + (f"\n{note}" if note else ""), numbers, cell.sources)

    several = len(built) > 1
    interval = "and its 95 % t-interval" if study.seeds > 1 else "one seed, so no interval"
    fields = ("mean", "std", "n", "gain", "low", "high", "p_holm")
    return Sheet(
        name="areas",
        title="Over the whole budget",
        caption=(
            f"Area under the curve of {study.metric} ({study.unit}) against the budget, over its "
            f"width: the mean result from {study.budgets[0]:,} to {study.budgets[cycles[-1]]:,} "
            f"labelled, by trapezoids through the results at {budgets}. Below it the gain over "
            f"random, paired by seed, {interval}. A seed without a point is left out."
        ),
        heads=(
            Head("trained"), *([Head("policy")] if several else []),
            *(Head(label, fields) for label in built[0].labels),
        ),
        rows=tuple(
            (
                Item(row[0].deployment), *([Item(table.title)] if several else []),
                *(item(table, cell) for cell in row),
            )
            for table in built for row in table.rows
        ),
    )  # fmt: skip
