"""Write any table as HTML, with the files behind its numbers."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from salx.report.formatting import MISSING
from salx.report.tables.colours import shading
from salx.report.tables.table import Cell, Table
from salx.report.templates import fill

LINKS = 6  # a number from more files than that leads to the list of them


class Origin(NamedTuple):
    """Say where a cell's numbers come from.

    Attributes:
      name: the cell's row and column.
      files: the text and the path of each file; none where there are more than LINKS.
      count: the number of files.
    """

    name: str
    files: list[tuple[str, str]]
    count: int


def html(table: Table) -> Markup:
    """Write a table with its title, its caption and the files behind its numbers.

    Args:
      table: the table.

    Returns:
      HTML; links lead from W/report/.
    """
    return fill(
        "tables/table.html.j2", table=table, label=table.title or table.caption,
        origins=list(origins(table)), shading=shading,
    )  # fmt: skip


def origins(table: Table) -> Iterator[Origin]:
    """List where the numbers of a table come from.

    Args:
      table: the table.

    Yields:
      An entry for each cell that names files.
    """
    over = f"{table.over} " if table.over else ""
    for row in table.rows:
        name = _name(row)
        for head, cell in zip(table.heads, row, strict=True):
            files = list(dict.fromkeys(cell.sources))
            if files:
                shown = [(_short(file), file) for file in files] if len(files) <= LINKS else []
                yield Origin(f"{name}: {over}{head.text}", shown, len(files))


def _name(row: Sequence[Cell]) -> str:
    """Name a row: the texts that stand before its first number from files."""
    names = []
    for cell in row:
        if cell.sources:
            break
        text = cell.text.partition("\n")[0]
        if text not in ("", MISSING) and not cell.numbers:
            names.append(text)
    return ", ".join(names)


def _short(file: str) -> str:
    """Name a file: its run, or its selection and the name in it."""
    return file.partition("/")[2].removesuffix("/result.json")
