"""Plain tables of findings: once made, written as CSV, Markdown, LaTeX and on the page.

An item has the text that is read, the numbers behind it, and the files that it comes from.
"""

import csv as csv_module
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from salx.report import formatting, statistics
from salx.report.latex import escape, stacked, tabular


class Head(NamedTuple):
    """A column's name, and the names of the numbers that it holds in a CSV file."""

    text: str
    fields: tuple[str, ...] = ()


class Item(NamedTuple):
    """Text, of lines; as many numbers as its column has fields; sources from the work folder."""

    text: str
    numbers: tuple[float | None, ...] = ()
    sources: tuple[str, ...] = ()


class Sheet(NamedTuple):
    """name: that of its files. caption: what the numbers are, and over how many."""

    name: str
    title: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Item, ...], ...]


def amount(by_seed: Mapping[int, float], digits: int = 2, sources: Sequence[str] = ()) -> Item:
    """Mean and standard deviation over seeds, `0.83 ± 0.02`; what is missing was not recorded.

    Its column has the fields mean, std and n.
    """
    values = list(by_seed.values())
    centre, std = statistics.mean(values), statistics.deviation(values)
    text = formatting.amount(centre, std, digits) if values else formatting.UNRECORDED
    return Item(text, (centre, std, len(values)), tuple(sources))


AMOUNT = ("mean", "std", "n")


def csv(sheet: Sheet) -> str:
    """A line a row, a field a number; an empty field is missing, sources part at spaces."""
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
    return round(number, 6) if isinstance(number, float) else number


def markdown(sheet: Sheet) -> str:
    """A pipe table and its caption."""

    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(t.replace("|", "\\|").replace("\n", "<br>") for t in texts) + " |"

    head = line([head.text for head in sheet.heads])
    rows = [line([item.text for item in row]) for row in sheet.rows]
    return "\n".join([head, line(["---"] * len(sheet.heads)), *rows, "", sheet.caption, ""])


def latex(sheet: Sheet) -> str:
    """A booktabs tabular; the caption is a comment above it."""
    rows = [[stacked(item.text.split("\n")) for item in row] for row in sheet.rows]
    heads = [escape(head.text) for head in sheet.heads]
    return tabular(sheet.caption, heads, rows, packages=r"\usepackage{booktabs}")
