"""Set the paper's Tables 3 to 5 beside a study that repeats one of them."""

from collections.abc import Sequence

from salx.report import formatting
from salx.report.analysis import statistics
from salx.report.analysis.grids import Grid, Pair
from salx.report.load import paper
from salx.report.load.paper import Paper
from salx.report.tables.table import Cell, Head, Table


def pairs(repeated: Paper, grid: Grid) -> list[tuple[float, float]]:
    """Pair the gains off the diagonal with the paper's.

    Args:
      repeated: the table of the paper.
      grid: the study's, of the same policy.

    Returns:
      (our gain, the paper's) of each pair that both have.
    """
    both = [
        (pair.gain.mean, repeated.gain(pair.deployment, pair.column.surrogate))
        for pair in grid.pairs if pair.gain and not pair.diagonal
    ]  # fmt: skip
    return [(ours, theirs) for ours, theirs in both if theirs is not None]


def agreement(repeated: Paper, grid: Grid) -> str:
    """Say how the gains of the pairs off the diagonal compare.

    Args:
      repeated: the table of the paper.
      grid: the study's, of the same policy.

    Returns:
      A sentence.
    """
    both = pairs(repeated, grid)
    if not both:
        return f"No pair can be compared with the paper's Table {repeated.number} yet."
    same = sum((ours > 0) == (theirs > 0) for ours, theirs in both)
    ours, theirs = (statistics.mean(side) for side in zip(*both, strict=True))
    return (
        f"The gain over random has the paper's sign in {same} of "
        f"{formatting.counted(len(both), 'pair')}; over these the mean gain is "
        f"{formatting.signed(ours, 2)} here and {formatting.signed(theirs, 2)} in the paper's "
        f"Table {repeated.number}."
    )


def table(repeated: Paper, grids: Sequence[Grid]) -> Table:
    """Show every pair of the study above the paper's, each with its gain over random.

    Args:
      repeated: the table of the paper.
      grids: those of all policies.

    Returns:
      A model that was trained a row, who chose a column.
    """
    grid = next(grid for grid in grids if grid.policy == repeated.policy)

    def line(name: str, mean: float, std: float | None, gain: float | None) -> str:
        text = f"{name} {formatting.amount(mean, std, grid.digits)}"
        return text if gain is None else f"{text} ({formatting.signed(gain, grid.digits)})"

    def cell(pair: Pair) -> Cell:
        theirs = repeated.figure(pair.deployment, pair.column.surrogate)
        gain = pair.column.surrogate and repeated.gain(pair.deployment, pair.column.surrogate)
        ours = pair.gain.mean if pair.gain else None
        lines = [
            line("here", pair.mean, pair.std, ours) if pair.n else f"here {formatting.MISSING}",
            line("paper", *theirs, gain or None) if theirs else f"paper {formatting.MISSING}",
        ]
        numbers = (pair.mean, pair.std, pair.n, ours, *(theirs or (None, None)), gain)
        return Cell("\n".join(lines), numbers, pair.sources)

    names = ("mean", "std", "n", "gain", "paper mean", "paper std", "paper gain")
    return Table(
        name="paper",
        title=f"Beside the paper's Table {repeated.number}",
        caption=(
            f"{grid.metric} ({grid.unit}), here over {formatting.counted(grid.seeds, 'seed')} "
            f"and in the paper over {repeated.seeds}; in brackets the gain over random. "
            f"{agreement(repeated, grid)} Paper: {paper.facts()['source']}."
        ),
        heads=(Head("trained"), *(Head(label, names) for label in grid.labels)),
        rows=tuple(
            (Cell(f"{row[0].deployment}\n{repeated.names[row[0].deployment]}"), *map(cell, row))
            for row in grid.rows if row[0].deployment in repeated.names
        ),
    )  # fmt: skip
