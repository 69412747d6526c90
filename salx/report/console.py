"""Show on the console what a study found: a verdict, tables, and how much of it is there."""

import io
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from salx.report.analysis import grids
from salx.report.analysis.grids import Grid, Pair
from salx.report.formatting import counted, gained, interval, notes
from salx.report.load import results
from salx.report.tables import pairs
from salx.report.tables.writers import captioned
from salx.report.verdict import done, verdict

GRID_CELL = 14  # columns of the console for a cell of the grid


def summary(workdir: Path, width: int) -> Text:
    """Show the verdict and each policy's table.

    Args:
      workdir: the study's.
      width: columns of the console.

    Returns:
      The text, with colours.

    Raises:
      InputError: naming the file, if the folder is none or a file is damaged.
    """
    work = results.read(workdir)
    built = grids.build(work)
    finished, wanted = done(work)
    console = Console(width=width, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(Text(verdict(built)))
        for each in built:
            console.print(layout(each, width))
            console.print(Text(captioned(pairs.main_table(each), "*"), "dim"))
        console.print(Text(f"{finished:,} of {counted(wanted, 'training run')} done.", "dim"))
    return Text.from_ansi(capture.get())


def style(pair: Pair) -> str:
    """Style a pair: the best of its row bold, random dim.

    Args:
      pair: one of a grid.

    Returns:
      rich's name of the style.
    """
    return "bold" if pair.rank == 1 else "dim" if pair.column.surrogate is None else ""


def lines(pair: Pair, grid: Grid) -> list[str]:
    """Show a pair as lines, with a star where the model chose for itself.

    Args:
      pair: one of the grid.
      grid: a policy's.

    Returns:
      The lines.
    """
    first, *rest = pairs.lines(pair, grid)
    return [first + ("*" if pair.diagonal and pair.n else ""), *rest]


def across(grid: Grid) -> RichTable:
    """Set deployments down and surrogates across, as the table of a paper.

    Args:
      grid: a policy's.

    Returns:
      rich's table.
    """
    view = RichTable(box=box.SIMPLE, pad_edge=False, show_lines=True)
    view.add_column("trained", overflow="fold")
    for label in grid.labels:
        view.add_column(label, overflow="fold")
    for row in grid.rows:
        cells = [Text("\n".join(lines(pair, grid)), style(pair)) for pair in row]
        view.add_row(Text(row[0].deployment), *cells)
    return view


def listing(grid: Grid) -> RichTable:
    """List one line a pair, for a console that is too narrow for the other table.

    Args:
      grid: a policy's.

    Returns:
      rich's table.
    """
    view = RichTable(box=box.SIMPLE, pad_edge=False)
    for name in ("trained", "chosen by", grid.unit, "gain"):
        view.add_column(name, overflow="fold")
    for row in grid.rows:
        for label, pair in zip(grid.labels, row, strict=True):
            gain = []
            if pair.gain:
                texts = gained(pair.gain, grid.digits), interval(pair.gain, grid.digits)
                gain = [" ".join(texts).strip()]
            rest = ", ".join(gain + notes(pair, grid.seeds))
            texts = (pair.deployment, label, lines(pair, grid)[0], rest)
            view.add_row(*(Text(text, style(pair)) for text in texts))
        view.add_section()
    return view


def layout(grid: Grid, width: int) -> RichTable:
    """Choose the table that fits.

    Args:
      grid: a policy's.
      width: columns of the console.

    Returns:
      The one of a paper where it fits, else the listing.
    """
    first = max([7, *(len(row[0].deployment) for row in grid.rows)])
    cells = sum(2 + max(GRID_CELL, len(label)) for label in grid.labels)
    return across(grid) if first + cells <= width else listing(grid)


def text(grid: Grid, width: int = 80) -> str:
    """Show a grid as plain text.

    Args:
      grid: a policy's.
      width: columns of the console.

    Returns:
      Lines of at most `width` columns.
    """
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(layout(grid, width))
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").splitlines()) + "\n"
