"""Make tables of pairs: a study's main table as one reads it, and its pairs one a line."""

from collections.abc import Iterable

from salx.report.analysis.grids import Grid, Pair
from salx.report.formatting import DAGGER, gained, interval, notes, spread
from salx.report.tables.table import Cell, Head, Table

FIELDS = ("cycle", "labelled", "n", "mean", "std", "gain", "low", "high", "paired")  # numbers


def lines(pair: Pair, grid: Grid) -> list[str]:
    """Show a pair as lines: mean and spread, gain, its interval, and what is missing.

    Args:
      pair: one of the grid.
      grid: the grid.

    Returns:
      The lines.
    """
    gain = []
    if pair.gain:
        gain = [gained(pair.gain, grid.digits), interval(pair.gain, grid.digits)]
    texts = [spread(pair, grid.digits), *gain, *notes(pair, grid.seeds)]
    return [text for text in texts if text]


def main_table(grid: Grid, title: str = "") -> Table:
    """Show one policy: who chose across, who was trained on it down.

    Args:
      grid: the policy's pairs.
      title: the table's, where there are several.

    Returns:
      A table whose rows are coloured by rank; the models that chose for themselves are marked.
    """

    def cell(pair: Pair) -> Cell:
        marked = bool(pair.diagonal and pair.n)
        text = "\n".join(lines(pair, grid))
        return Cell(text, sources=pair.sources, shade=pair.shade, marked=marked)

    return Table(
        name="",
        title=title,
        caption=caption(grid),
        heads=(Head("trained"), *map(Head, grid.labels)),
        rows=tuple((Cell(row[0].deployment), *map(cell, row)) for row in grid.rows),
        over="chosen by",
        marked="the model chose for itself.",
        shaded=True,
        listing="table.csv",
    )


def listing(grids: Iterable[Grid]) -> Table:
    """List the pairs of all grids, one a row, in percent points.

    Args:
      grids: of one cycle or of several.

    Returns:
      The table. Random's pairs stand once for each cycle, whatever the number of policies. The
      p-values have all their digits.
    """

    def row(grid: Grid, pair: Pair) -> tuple[Cell, ...]:
        gain = pair.gain
        chances = [gain.p, gain.holm] if gain else [None] * 2
        numbers = [grid.cycle, grid.labelled, pair.n, pair.mean, pair.std]
        numbers += [gain.mean, gain.low, gain.high, gain.n] if gain else [None] * 4
        return (
            Cell(pair.deployment), Cell(pair.column.surrogate or ""), Cell(pair.column.policy),
            *(Cell("", (number,)) for number in numbers),
            *(Cell("" if p is None else str(p)) for p in chances),
        )  # fmt: skip

    rows = {}
    for grid in grids:
        for pair in grid.pairs:
            *cells, last = row(grid, pair)
            named = (*cells, last._replace(sources=pair.runs))
            rows.setdefault((grid.cycle, pair.deployment, pair.column), named)
    texts, fields = ("deployment", "surrogate", "policy"), [Head(name, ("",)) for name in FIELDS]
    return Table(
        name="curves",
        title="Every pair",
        caption="Percent points; an empty field is missing.",
        heads=(*map(Head, texts), *fields, Head("p"), Head("p_holm")),
        rows=tuple(rows.values()),
        origins="runs",
    )


def caption(grid: Grid) -> str:
    """Say in one line what a grid's numbers are.

    Args:
      grid: the grid.

    Returns:
      A sentence.
    """
    if grid.seeds == 1:
        numbers = "one seed, so no spread and no interval; below it the gain over random"
    else:
        numbers = (
            f"mean ± standard deviation over {grid.seeds} seeds; below it the gain over random, "
            "paired by seed, with its 95 % t-interval"
        )
        if any(pair.gain and pair.gain.beyond_chance for pair in grid.pairs):
            numbers += f" ({DAGGER}: beyond chance, Holm-corrected over the grid)"
    return (
        f"{grid.metric} ({grid.unit}) with {grid.labelled} of {grid.pool} labelled, chosen by "
        f"{grid.title}: {numbers}."
    )
