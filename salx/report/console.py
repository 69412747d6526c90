"""Show on the console what a study found: a verdict, tables, and how much of it is there."""

import io
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from salx.report import results, tables
from salx.report.formats import caption, lines
from salx.report.formatting import counted, gained, interval, notes
from salx.report.tables import Cell, Table
from salx.report.verdict import done, verdict

GRID_CELL = 14  # columns of the console for a cell of the grid


def summary(workdir: Path, width: int) -> Text:
    """Show the verdict and each policy's table in at most `width` columns."""
    work = results.read(workdir)
    built = tables.build(work)
    finished, wanted = done(work)
    console = Console(width=width, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(Text(verdict(built)))
        for table in built:
            console.print(layout(table, width))
            console.print(Text(caption(table, "*"), "dim"))
        console.print(Text(f"{finished:,} of {counted(wanted, 'training run')} done.", "dim"))
    return Text.from_ansi(capture.get())


def style(cell: Cell) -> str:
    """Style a cell: the best of its row bold, random dim."""
    return "bold" if cell.rank == 1 else "dim" if cell.column.surrogate is None else ""


def grid(table: Table) -> RichTable:
    """Set deployments down and surrogates across, as the table of a paper."""
    view = RichTable(box=box.SIMPLE, pad_edge=False, show_lines=True)
    view.add_column("trained", overflow="fold")
    for label in table.labels:
        view.add_column(label, overflow="fold")
    for row in table.rows:
        cells = [Text("\n".join(lines(cell, table)), style(cell)) for cell in row]
        view.add_row(Text(row[0].deployment), *cells)
    return view


def listing(table: Table) -> RichTable:
    """List one line a pair, for a console that is too narrow for the grid."""
    view = RichTable(box=box.SIMPLE, pad_edge=False)
    for name in ("trained", "chosen by", table.unit, "gain"):
        view.add_column(name, overflow="fold")
    for row in table.rows:
        for label, cell in zip(table.labels, row, strict=True):
            gain = []
            if cell.gain:
                texts = gained(cell.gain, table.digits), interval(cell.gain, table.digits)
                gain = [" ".join(texts).strip()]
            rest = ", ".join(gain + notes(cell, table.seeds))
            texts = (cell.deployment, label, lines(cell, table)[0], rest)
            view.add_row(*(Text(text, style(cell)) for text in texts))
        view.add_section()
    return view


def layout(table: Table, width: int) -> RichTable:
    """Take the grid where it fits into `width` columns, else the listing."""
    first = max([7, *(len(row[0].deployment) for row in table.rows)])
    cells = sum(2 + max(GRID_CELL, len(label)) for label in table.labels)
    return grid(table) if first + cells <= width else listing(table)


def text(table: Table, width: int = 80) -> str:
    """Show a table as plain text of at most `width` columns."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(layout(table, width))
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").splitlines()) + "\n"
