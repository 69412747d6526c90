"""A table as text for the console, CSV for machines, Markdown and LaTeX for papers."""

import csv as csv_module
import io
from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from salx.report.tables import Cell, Table, colour
from salx.report.words import DASH, MINUS, interval, notes, signed, spread

FIELDS = ["deployment", "surrogate", "policy", "cycle", "labelled", "n", "mean", "std"]
FIELDS += ["gain", "low", "high", "paired", "runs"]
GRID_CELL = 14
TEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    MINUS: r"$-$",
    DASH: "--",
}


def lines(cell: Cell, seeds: int, own: str = "*") -> list[str]:
    """A cell's lines: mean and spread, gain, its interval, and what is missing."""
    head = [spread(cell) + (own if cell.own and cell.n else "")]
    gain = [signed(cell.gain.mean), interval(cell.gain)] if cell.gain else []
    return [line for line in head + gain + notes(cell, seeds) if line]


def style(cell: Cell) -> str:
    return "bold" if cell.rank == 1 else "dim" if cell.column.surrogate is None else ""


def grid(table: Table) -> RichTable:
    """Deployments down, surrogates across: as the table of a paper."""
    view = RichTable(box=box.SIMPLE, pad_edge=False, show_lines=True)
    view.add_column("trained", overflow="fold")
    for label in table.labels:
        view.add_column(label, overflow="fold")
    for row in table.rows:
        cells = [Text("\n".join(lines(cell, table.seeds)), style(cell)) for cell in row]
        view.add_row(Text(row[0].deployment), *cells)
    return view


def listing(table: Table) -> RichTable:
    """One line a pair, for a console that is too narrow for the grid."""
    view = RichTable(box=box.SIMPLE, pad_edge=False)
    for name in ("trained", "chosen by", table.unit, "gain"):
        view.add_column(name, overflow="fold")
    for row in table.rows:
        for label, cell in zip(table.labels, row, strict=True):
            gain = [f"{signed(cell.gain.mean)} {interval(cell.gain)}".strip()] if cell.gain else []
            rest = ", ".join(gain + notes(cell, table.seeds))
            texts = (cell.deployment, label, lines(cell, table.seeds)[0], rest)
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


def csv(table: Table) -> str:
    """One line a pair, in percent points; an empty field is missing, runs part at spaces."""
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    for cell in table.cells:
        gain = cell.gain
        numbers = [cell.mean, cell.std, *((gain.mean, gain.low, gain.high) if gain else [None] * 3)]
        writer.writerow(
            [cell.deployment, cell.column.surrogate, cell.column.policy]
            + [table.cycle, table.labelled, cell.n]
            + [None if number is None else round(number, 6) for number in numbers]
            + [gain.n if gain else None, " ".join(cell.runs)]
        )
    return file.getvalue()


def body(table: Table, show: Callable[[Cell], str], name: Callable[[str], str]) -> list[list[str]]:
    return [[name(row[0].deployment), *map(show, row)] for row in table.rows]


def markdown(table: Table) -> str:
    """A pipe table: mean ± standard deviation, gain over random and its 95 % interval."""

    def show(cell: Cell) -> str:
        return "<br>".join(lines(cell, table.seeds, own=" \\*"))

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    head = ["trained \\ chosen by", *table.labels]
    rows = body(table, show, str)
    return "\n".join(
        [row(head), row(["---"] * len(head)), *map(row, rows), "", caption(table, "\\*"), ""]
    )


def escape(text: str) -> str:
    """Text as LaTeX source that prints just that text."""
    return "".join(TEX.get(character, character) for character in text)


def latex(table: Table) -> str:
    """A booktabs tabular whose cells are coloured from the row's worst to its best."""

    def show(cell: Cell) -> str:
        paint = "" if cell.shade is None else colour(cell.shade).removeprefix("#").upper()
        fill = paint and f"\\cellcolor[HTML]{{{paint}}}"
        head, *rest = lines(cell, table.seeds, own="")
        head = f"\\underline{{{escape(head)}}}" if cell.own and cell.n else escape(head)
        lower = [f"{{{escape(line)}}}" for line in rest]  # in braces: \\[ would take an argument
        stack = r" \\ ".join([head, *lower])
        return rf"{fill}\begin{{tabular}}{{@{{}}c@{{}}}}{stack}\end{{tabular}}"

    head = ["trained", *table.labels]
    rows = body(table, show, escape)
    return "\n".join(
        [
            r"% \usepackage{booktabs} \usepackage[table]{xcolor}",
            f"% {caption(table, 'underlined:')}",
            rf"\begin{{tabular}}{{l{'c' * len(table.columns)}}}",
            r"\toprule",
            " & ".join(map(escape, head)) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
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
    return (
        f"{table.metric} ({table.unit}) with {table.labelled} of {table.pool} labelled: "
        f"{numbers}. {own} the model chose for itself."
    )
