"""Say in a few sentences what a study found."""

from collections.abc import Sequence

from salx.report.analysis.grids import Grid, tally
from salx.report.formatting import DASH, counted, either, percent, signed, spelled
from salx.report.load.types import Work, expected


def done(work: Work) -> tuple[int, int]:
    """Count the study's runs.

    Args:
      work: all results.

    Returns:
      Those that are finished, and all.
    """
    wanted = expected(work.study)
    finished = work.results.keys() | {result.run for result in work.potentials}
    return len(wanted & finished), len(wanted)


def usable(grids: Sequence[Grid]) -> Sequence[Grid]:
    """Leave out the grids of policies that know the labels, unless there are no others.

    Args:
      grids: those of all policies.

    Returns:
      The others, or all.
    """
    return [grid for grid in grids if not grid.oracle] or grids


def verdict(grids: Sequence[Grid]) -> str:
    """Say of the pairs off the diagonal how often they are better, how surely, by how much.

    Args:
      grids: those of all policies.

    Returns:
      A few sentences.
    """
    shown = usable(grids)
    count, first = tally(shown), shown[0]
    if not count.pairs:
        return "The study has no pair of a surrogate and another deployment."
    if not count.compared:
        return f"None of the {counted(count.pairs, 'surrogate pair')} can be compared yet."
    text = (
        f"Choosing by a surrogate's {either([g.title for g in shown])} is better than random in "
        f"{count.better} of {counted(count.compared, 'pair')} (a model that chose and another that "
        f"was trained, {percent(first.labelled, first.pool)} labelled){certainty(grids)} "
        f"The mean gain is {signed(count.gain, first.digits)} points."
    )
    if count.compared < count.pairs:
        text += f" Not finished: {count.pairs - count.compared} of {count.pairs} pairs."
    return text


def certainty(grids: Sequence[Grid]) -> str:
    """Say how sure the verdict is.

    Args:
      grids: those of all policies.

    Returns:
      The end of the verdict's first sentence: `, two of them beyond chance; none is worse beyond
      chance (paired t-tests at 5 %, n = 3 seeds, ...).`
    """
    shown = usable(grids)
    gains = [c.gain for g in shown for c in g.pairs if c.gain and not c.diagonal]
    tested = [c.gain for g in grids for c in g.pairs if c.gain and c.gain.p is not None]
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
