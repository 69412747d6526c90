"""Make plain tables of findings, that are written as CSV, Markdown, LaTeX and on the page.

An item has the text that is read, the numbers behind it, and the files that it comes from.
"""

import csv as csv_module
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from salx.report import formatting, statistics
from salx.report.latex import escape, stacked, tabular


class Head(NamedTuple):
    """Hold a column's name, and the names of the numbers that it holds in a CSV file."""

    text: str
    fields: tuple[str, ...] = ()


class Item(NamedTuple):
    """Hold lines of text, a number for each field of the column, and files of the work folder."""

    text: str
    numbers: tuple[float | None, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Hold a table.

    Args:
      name: that of its files.
      caption: what the numbers are, and over how many.
    """

    name: str
    title: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Item, ...], ...]


def amount(by_seed: Mapping[int, float], digits: int = 2, sources: Sequence[str] = ()) -> Item:
    """Show mean and standard deviation over seeds, `0.83 ± 0.02`; what is missing was not recorded.

    Its column has the fields mean, std and n.
    """
    values = list(by_seed.values())
    centre, std = statistics.mean(values), statistics.deviation(values)
    text = formatting.amount(centre, std, digits) if values else formatting.UNRECORDED
    return Item(text, (centre, std, len(values)), tuple(sources))


AMOUNT = ("mean", "std", "n")


def csv(sheet: Sheet) -> str:
    """Write a line a row, a field a number; an empty field is missing, spaces divide sources."""
    file = io.StringIO()
    writer = csv_module.writer(file, lineterminator="\n")
    heads = [
        [f"{head.text} {field}".strip() for field in head.fields] or [head.text]
        for head in sheet.heads
    ]
    writer.writerow([name for names in heads for name in names] + ["sources"])
    for row in sheet.rows:
        fields: list[str | float | None] = []
        for head, item in zip(sheet.heads, row, strict=True):
            numbers = item.numbers or (None,) * len(head.fields)
            fields += [rounded(number) for number in numbers] if head.fields else [item.text]
        writer.writerow([*fields, " ".join(dict.fromkeys(s for i in row for s in i.sources))])
    return file.getvalue()


def rounded(number: float | None) -> float | None:
    """Round to the six decimals that files have; None stays None."""
    return round(number, 6) if isinstance(number, float) else number


def markdown(sheet: Sheet) -> str:
    """Write a pipe table and its caption."""

    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(t.replace("|", "\\|").replace("\n", "<br>") for t in texts) + " |"

    head = line([head.text for head in sheet.heads])
    rows = [line([item.text for item in row]) for row in sheet.rows]
    return "\n".join([head, line(["---"] * len(sheet.heads)), *rows, "", sheet.caption, ""])


def latex(sheet: Sheet) -> str:
    """Write a booktabs tabular; the caption is a comment above it."""
    rows = [[stacked(item.text.split("\n")) for item in row] for row in sheet.rows]
    heads = [escape(head.text) for head in sheet.heads]
    return tabular(sheet.caption, heads, rows, packages=r"\usepackage{booktabs}")
