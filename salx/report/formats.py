"""Write a table as CSV for machines, and as Markdown and LaTeX for papers."""

import csv as csv_module
import io
from collections.abc import Iterable, Sequence

from salx.report import latex as tex
from salx.report.colours import colour
from salx.report.formatting import DAGGER, gained, interval, notes, spread
from salx.report.tables import Cell, Table

FIELDS = ["deployment", "surrogate", "policy", "cycle", "labelled", "n", "mean", "std"]
FIELDS += ["gain", "low", "high", "paired", "p", "p_holm", "runs"]


def lines(cell: Cell, table: Table, mark: str = "*") -> list[str]:
    """Show a cell as lines: mean and spread, gain, its interval, and what is missing.

    Args:
      mark: what follows the mean where the model chose for itself.
    """
    head = [spread(cell, table.digits) + (mark if cell.diagonal and cell.n else "")]
    gain = []
    if cell.gain:
        gain = [gained(cell.gain, table.digits), interval(cell.gain, table.digits)]
    return [line for line in head + gain + notes(cell, table.seeds) if line]


def csv(tables: Iterable[Table]) -> str:
    """Write one line a pair, in percent points; an empty field is missing, spaces divide runs.

    Random's cells stand once for each cycle, whatever the number of policies.
    """
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    written = set()
    for table in tables:
        for cell in table.cells:
            pair = (table.cycle, cell.deployment, cell.column)
            if pair not in written:
                written.add(pair)
                writer.writerow(fields(table, cell))
    return file.getvalue()


def fields(table: Table, cell: Cell) -> list[str | float | None]:
    """Give the fields of a pair's line, in the order of FIELDS."""
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
    """Write pipe tables: mean ± standard deviation, gain over random and its 95 % interval."""

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    written = []
    for table in tables:
        head = ["trained \\ chosen by", *table.labels]
        rows = [
            [row[0].deployment, *("<br>".join(lines(cell, table, mark=" \\*")) for cell in row)]
            for row in table.rows
        ]
        written += [row(head), row(["---"] * len(head)), *map(row, rows), "", caption(table, "\\*")]
        written += [""]
    return "\n".join(written)


def latex(tables: Iterable[Table]) -> str:
    """Write booktabs tabulars whose cells are coloured from the row's worst to its best."""

    def show(table: Table, cell: Cell) -> str:
        paint = "" if cell.shade is None else colour(cell.shade).removeprefix("#").upper()
        fill = paint and f"\\cellcolor[HTML]{{{paint}}}"
        texts = lines(cell, table, mark="")
        head = rf"\underline{{{tex.escape(texts[0])}}}" if cell.diagonal and cell.n else None
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


def caption(table: Table, mark: str) -> str:
    """Say in one line what the numbers are, and what `mark` stands for."""
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
        f"{table.title}: {numbers}. {mark} the model chose for itself."
    )
