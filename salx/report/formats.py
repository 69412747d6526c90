"""A table as text for the console, CSV for machines, Markdown and LaTeX for papers."""

import csv as csv_module
import io
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from salx.report import latex as tex
from salx.report.formatting import DAGGER, gained, interval, notes, plain, spread
from salx.report.tables import Cell, Table, colour

FIELDS = ["deployment", "surrogate", "policy", "cycle", "labelled", "n", "mean", "std"]
FIELDS += ["gain", "low", "high", "paired", "p", "p_holm", "runs"]
GRID_CELL = 14


def lines(cell: Cell, table: Table, own: str = "*") -> list[str]:
    """A cell's lines: mean and spread, gain, its interval, and what is missing."""
    head = [spread(cell, table.digits) + (own if cell.own and cell.n else "")]
    gain = []
    if cell.gain:
        gain = [gained(cell.gain, table.digits), interval(cell.gain, table.digits)]
    return [line for line in head + gain + notes(cell, table.seeds) if line]


def style(cell: Cell) -> str:
    return "bold" if cell.rank == 1 else "dim" if cell.column.surrogate is None else ""


def grid(table: Table) -> RichTable:
    """Deployments down, surrogates across: as the table of a paper."""
    view = RichTable(box=box.SIMPLE, pad_edge=False, show_lines=True)
    view.add_column("trained", overflow="fold")
    for label in table.labels:
        view.add_column(label, overflow="fold")
    for row in table.rows:
        cells = [Text("\n".join(lines(cell, table)), style(cell)) for cell in row]
        view.add_row(Text(row[0].deployment), *cells)
    return view


def listing(table: Table) -> RichTable:
    """One line a pair, for a console that is too narrow for the grid."""
    view = RichTable(box=box.SIMPLE, pad_edge=False)
    for name in ("trained", "chosen by", table.unit, "gain"):
        view.add_column(name, overflow="fold")
    for row in table.rows:
        for label, cell in zip(table.labels, row, strict=True):
            gain = []
            if cell.gain:
                parts = gained(cell.gain, table.digits), interval(cell.gain, table.digits)
                gain = [" ".join(parts).strip()]
            rest = ", ".join(gain + notes(cell, table.seeds))
            texts = (cell.deployment, label, lines(cell, table)[0], rest)
            view.add_row(*(Text(text, style(cell)) for text in texts))
        view.add_section()
    return view


def layout(table: Table, width: int) -> RichTable:
    """The grid where it fits into `width` columns, else the listing."""
    first = max([7, *(len(row[0].deployment) for row in table.rows)])
    cells = sum(2 + max(GRID_CELL, len(label)) for label in table.labels)
    return grid(table) if first + cells <= width else listing(table)


def text(table: Table, width: int = 80) -> str:
    """The table as plain text of at most `width` columns."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(layout(table, width))
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").splitlines()) + "\n"


def csv(tables: Iterable[Table]) -> str:
    """One line a pair, in percent points; an empty field is missing, runs part at spaces.

    Random's cells stand once for each cycle, whatever the number of policies.
    """
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    written = set()
    for table in tables:
        for cell in table.cells:
            place = (table.cycle, cell.deployment, cell.column)
            if place not in written:
                written.add(place)
                writer.writerow(fields(table, cell))
    return file.getvalue()


def fields(table: Table, cell: Cell) -> list:
    gain = cell.gain
    numbers = [cell.mean, cell.std, *((gain.mean, gain.low, gain.high) if gain else [None] * 3)]
    return (
        [cell.deployment, cell.column.surrogate, cell.column.policy]
        + [table.cycle, table.labelled, cell.n]
        + [None if number is None else round(number, 6) for number in numbers]
        + ([gain.n, gain.p, gain.holm] if gain else [None] * 3)
        + [" ".join(cell.runs)]
    )


def markdown(tables: Iterable[Table]) -> str:
    """Pipe tables: mean ± standard deviation, gain over random and its 95 % interval."""

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    parts = []
    for table in tables:
        head = ["trained \\ chosen by", *table.labels]
        rows = [
            [row[0].deployment, *("<br>".join(lines(cell, table, own=" \\*")) for cell in row)]
            for row in table.rows
        ]
        parts += [row(head), row(["---"] * len(head)), *map(row, rows), "", caption(table, "\\*")]
        parts += [""]
    return "\n".join(parts)


def latex(tables: Iterable[Table]) -> str:
    """Booktabs tabulars whose cells are coloured from the row's worst to its best."""

    def show(table: Table, cell: Cell) -> str:
        paint = "" if cell.shade is None else colour(cell.shade).removeprefix("#").upper()
        fill = paint and f"\\cellcolor[HTML]{{{paint}}}"
        texts = lines(cell, table, own="")
        head = rf"\underline{{{tex.escape(texts[0])}}}" if cell.own and cell.n else None
        return fill + tex.stacked(texts, head)

    return "\n".join(
        tex.tabular(
            caption(table, "underlined:"),
            [tex.escape(text) for text in ("trained", *table.labels)],
            [[tex.escape(r[0].deployment), *(show(table, cell) for cell in r)] for r in table.rows],
            packages=r"\usepackage{booktabs} \usepackage[table]{xcolor}",
        )
        for table in tables
    )


def caption(table: Table, own: str) -> str:
    """What the numbers are, in one line."""
    if table.seeds == 1:
        numbers = "one seed, so no spread and no interval; below it the gain over random"
    else:
        numbers = (
            f"mean ± standard deviation over {table.seeds} seeds; below it the gain over random, "
            "paired by seed, with its 95 % t-interval"
        )
        if any(cell.gain and cell.gain.beyond_chance for cell in table.cells):
            numbers += f" ({DAGGER}: beyond chance, Holm-corrected over the grid)"
    return (
        f"{table.metric} ({table.unit}) with {table.labelled} of {table.pool} labelled, chosen by "
        f"{plain(table.policy)}: {numbers}. {own} the model chose for itself."
    )
