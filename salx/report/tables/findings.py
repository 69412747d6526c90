"""Make tables of a study's statistics: how often better than random, how surely, by how much."""

from collections.abc import Sequence

from salx.report import formatting, verdict
from salx.report.analysis import grids, statistics
from salx.report.analysis.grids import Grid, Pair, Tally
from salx.report.formatting import MISSING
from salx.report.load.types import StudyFacts
from salx.report.tables.table import Cell, Head, Table

POINTS = "percent points"


def verdicts(built: Sequence[Grid], study: StudyFacts) -> Table:
    """Count how often each policy beats random, off the diagonal and on it.

    Args:
      built: the grids of all policies.
      study: what the study is.

    Returns:
      Two rows a policy, and two for all that do not know the labels.
    """

    def row(name: str, of: Sequence[Grid], diagonal: bool) -> tuple[Cell, ...]:
        count: Tally = grids.tally(of, diagonal)
        digits = of[0].digits
        sources = tuple(
            source for g in of for pair in g.pairs if pair.gain and pair.diagonal == diagonal
            for source in pair.sources
        )  # fmt: skip
        gain = MISSING if count.gain is None else formatting.signed(count.gain, digits)
        tested = study.seeds > 1 and count.compared
        return (
            Cell(name),
            Cell("itself" if diagonal else "another model"),
            Cell(f"{count.better} of {count.compared}", (count.better, count.compared), sources),
            Cell(str(count.above) if tested else MISSING, (count.above if tested else None,)),
            Cell(str(count.below) if tested else MISSING, (count.below if tested else None,)),
            Cell(gain, (count.gain,)),
        )

    names = [(grid.title, [grid]) for grid in built]
    usable = verdict.usable(built)
    oracles = [grid.title for grid in built if grid.oracle]
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
    return Table(
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


def intervals(built: Sequence[Grid]) -> Table:
    """List every pair's gain over random with both intervals and both p-values.

    Args:
      built: the grids of all policies.

    Returns:
      A row a pair that has a gain.
    """

    def row(grid: Grid, pair: Pair) -> tuple[Cell, ...]:
        gain, digits = pair.gain, grid.digits
        boot = statistics.bootstrap(gain.differences)
        return (
            Cell(pair.deployment),
            Cell(pair.column.surrogate),
            Cell(grid.title),
            Cell(formatting.gained(gain, digits), (gain.mean,), pair.sources),
            Cell(str(gain.n), (gain.n,)),
            Cell(formatting.interval(gain, digits) or MISSING, (gain.low, gain.high)),
            Cell(formatting.span(boot, digits) if boot else MISSING, boot or (None, None)),
            Cell(formatting.chance(gain.p), (gain.p,)),
            Cell(formatting.chance(gain.holm), (gain.holm,)),
        )

    return Table(
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
        rows=tuple(row(grid, pair) for grid in built for pair in grid.pairs if pair.gain),
        folded=True,
    )  # fmt: skip


def areas(built: Sequence[Grid], study: StudyFacts) -> Table:
    """Show the mean result over the budget, and its gain over random's.

    Args:
      built: grids of the areas, for all policies.
      study: what the study is.

    Returns:
      A row for each model that was trained and policy, a column for who chose.
    """
    cycles = sorted({0, *study.deploy_cycles})
    budgets = ", ".join(f"{study.budgets[cycle]:,}" for cycle in cycles)

    def cell(grid: Grid, pair: Pair) -> Cell:
        gain = pair.gain
        text = formatting.spread(pair, grid.digits)
        if gain:
            text += "\n" + formatting.gained(gain, grid.digits)
            text += f" {formatting.interval(gain, grid.digits)}".rstrip()
        note = formatting.shortfall(pair.n, grid.seeds)
        numbers = (pair.mean, pair.std, pair.n, *((gain.mean, gain.low, gain.high, gain.holm)
                   if gain else (None,) * 4))  # fmt: skip
        return Cell(text + (f"\n{note}" if note else ""), numbers, pair.sources)

    several = len(built) > 1
    interval = "and its 95 % t-interval" if study.seeds > 1 else "one seed, so no interval"
    fields = ("mean", "std", "n", "gain", "low", "high", "p_holm")
    return Table(
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
                Cell(row[0].deployment), *([Cell(grid.title)] if several else []),
                *(cell(grid, pair) for pair in row),
            )
            for grid in built for row in grid.rows
        ),
    )  # fmt: skip
