"""Write any table as CSV for machines, and as Markdown and LaTeX for papers."""

import csv as csv_module
import io
from collections.abc import Sequence

from salx.report.tables.colours import colour
from salx.report.tables.latex import escape, stacked, tabular
from salx.report.tables.table import Cell, Head, Table

MARK = "\\*"  # of marked cells in Markdown


def csv(table: Table) -> str:
    """Write a line a row, a field a number; an empty field is missing, spaces divide sources.

    Args:
      table: the table.

    Returns:
      The file's content, with a line of names.
    """
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    names = [name for head in table.heads for name in _names(head)]
    writer.writerow([*names, table.origins])
    for row in table.rows:
        fields: list[str | float | None] = []
        for head, cell in zip(table.heads, row, strict=True):
            numbers = cell.numbers or (None,) * len(head.fields)
            fields += [_rounded(number) for number in numbers] if head.fields else [cell.text]
        writer.writerow([*fields, " ".join(dict.fromkeys(s for c in row for s in c.sources))])
    return file.getvalue()


def _names(head: Head) -> list[str]:
    """Name the fields of a column."""
    return [f"{head.text} {field}".strip() for field in head.fields] or [head.text]


def _rounded(number: float | None) -> float | None:
    """Round to the six decimals that files have; None stays None."""
    return round(number, 6) if isinstance(number, float) else number


def markdown(table: Table) -> str:
    """Write a pipe table and its caption.

    Args:
      table: the table.

    Returns:
      The file's content.
    """

    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(t.replace("|", "\\|").replace("\n", "<br>") for t in texts) + " |"

    def show(cell: Cell) -> str:
        first, *rest = cell.text.split("\n")
        return "\n".join([f"{first} {MARK}" if cell.marked else first, *rest])

    first, *others = [head.text for head in table.heads]
    head = line([f"{first} \\ {table.over}" if table.over else first, *others])
    rows = [line([show(cell) for cell in row]) for row in table.rows]
    ruler = line(["---"] * len(table.heads))
    return "\n".join([head, ruler, *rows, "", captioned(table, MARK), ""])


def latex(table: Table) -> str:
    """Write a booktabs tabular; the caption is a comment above it.

    Args:
      table: the table.

    Returns:
      The file's content.
    """

    def show(cell: Cell) -> str:
        lines = cell.text.split("\n")
        head = rf"\underline{{{escape(lines[0])}}}" if cell.marked else None
        return _fill(cell) + stacked(lines, head)

    colours = r" \usepackage[table]{xcolor}" if table.shaded else ""
    return tabular(
        captioned(table, "underlined:"),
        [escape(head.text) for head in table.heads],
        [[show(cell) for cell in row] for row in table.rows],
        packages=rf"\usepackage{{booktabs}}{colours}",
    )


def _fill(cell: Cell) -> str:
    """Colour a cell's ground."""
    if cell.shade is None:
        return ""
    return rf"\cellcolor[HTML]{{{colour(cell.shade).removeprefix('#').upper()}}}"


def captioned(table: Table, mark: str) -> str:
    """Say in one line what a table's numbers are, and what the mark stands for.

    Args:
      table: the table.
      mark: how its marked cells look.

    Returns:
      The caption.
    """
    return f"{table.caption} {mark} {table.marked}" if table.marked else table.caption
