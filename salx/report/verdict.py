"""Say in a few sentences what a study found."""

from collections.abc import Sequence

from salx.report.formatting import DASH, counted, either, percent, signed, spelled
from salx.report.tables import Table, tally
from salx.report.types import Work, expected


def done(work: Work) -> tuple[int, int]:
    """Count the study's runs: those that are finished, and all."""
    wanted = expected(work.study)
    finished = work.results.keys() | {result.run for result in work.potentials}
    return len(wanted & finished), len(wanted)


def usable(tables: Sequence[Table]) -> Sequence[Table]:
    """Leave out the tables of policies that know the labels, unless there are no others."""
    return [table for table in tables if not table.oracle] or tables


def verdict(tables: Sequence[Table]) -> str:
    """Say of the pairs off the diagonal how often they are better, how surely, by how much."""
    shown = usable(tables)
    count, first = tally(shown), shown[0]
    if not count.pairs:
        return "The study has no pair of a surrogate and another deployment."
    if not count.compared:
        return f"None of the {counted(count.pairs, 'surrogate pair')} can be compared yet."
    text = (
        f"Choosing by a surrogate's {either([t.title for t in shown])} is better than random in "
        f"{count.better} of {counted(count.compared, 'pair')} (a model that chose and another that "
        f"was trained, {percent(first.labelled, first.pool)} labelled){certainty(tables)} "
        f"The mean gain is {signed(count.gain, first.digits)} points."
    )
    if count.compared < count.pairs:
        text += f" Not finished: {count.pairs - count.compared} of {count.pairs} pairs."
    return text


def certainty(tables: Sequence[Table]) -> str:
    """Say how sure the verdict is, as the end of its first sentence: `, two of them beyond
    chance; none is worse beyond chance (paired t-tests at 5 %, n = 3 seeds, ...).`"""
    shown = usable(tables)
    gains = [c.gain for t in shown for c in t.cells if c.gain and not c.diagonal]
    tested = [c.gain for t in tables for c in t.cells if c.gain and c.gain.p is not None]
    n = sorted({gain.n for gain in gains})
    seeds = DASH.join(str(count) for count in dict.fromkeys((n[0], n[-1])))
    if n[-1] == 1:
        return ": a single seed each (n = 1), so how sure that is cannot be said."
    count = tally(shown)
    return (
        f", {spelled(count.above)} of them beyond chance; {spelled(count.below)} "
        f"{'is' if count.below < 2 else 'are'} worse beyond chance (paired t-tests at 5 %, "
        f"n = {seeds} seeds, Holm-corrected for the {counted(len(tested), 'gain')} of the grid)."
    )
