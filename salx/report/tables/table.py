"""Hold a table of any kind: cells with text, the numbers behind it, and the files it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from salx.report import formatting
from salx.report.analysis import statistics

AMOUNT = ("mean", "std", "n")  # the fields of a column of amounts


class Head(NamedTuple):
    """Name a column.

    Attributes:
      text: the name.
      fields: the names of the numbers that it holds in a CSV file; its text where there are none.
    """

    text: str
    fields: tuple[str, ...] = ()


class Cell(NamedTuple):
    """Hold one cell.

    Attributes:
      text: its lines.
      numbers: one for each field of the column.
      sources: the files behind the numbers, from the work folder.
      shade: 0 for the worst of its row to 1 for the best; None for no colour.
      marked: whether it is one of those that `Table.marked` explains.
      link: the file, from the work folder, that its text leads to on the page.
    """

    text: str
    numbers: tuple[float | None, ...] = ()
    sources: tuple[str, ...] = ()
    shade: float | None = None
    marked: bool = False
    link: str = ""


@dataclass(frozen=True)
class Table:
    """Hold a table.

    Attributes:
      name: that of its files in W/report/tables/, and its id on the page; empty for a table that
        is on the page alone.
      title: what it shows.
      caption: what the numbers are, and over how many.
      heads: the columns.
      rows: the cells of each row, in the order of the columns.
      over: what all columns but the first are, where one word says it.
      marked: what its marked cells are, as the end of the caption.
      shaded: whether its cells are coloured; a section explains the colours near it.
      folded: whether the page shows it closed at first.
      listing: the CSV file, from W/report/, that lists all sources; that of its name unless
        another is named.
      origins: what a CSV file calls the column of sources.
    """

    name: str
    title: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    over: str = ""
    marked: str = ""
    shaded: bool = False
    folded: bool = False
    listing: str = ""
    origins: str = "sources"

    @property
    def csv_file(self) -> str:
        """Name the CSV file that lists all sources, from W/report/; empty where there is none."""
        return self.listing or (self.name and f"tables/{self.name}.csv")


def amount(by_seed: Mapping[int, float], digits: int = 2, sources: Sequence[str] = ()) -> Cell:
    """Show mean and standard deviation over seeds, `0.83 ± 0.02`.

    Args:
      by_seed: the numbers.
      digits: decimals.
      sources: the files behind them, from the work folder.

    Returns:
      A cell of a column with the fields AMOUNT; what is missing was not recorded.
    """
    values = list(by_seed.values())
    centre, std = statistics.mean(values), statistics.deviation(values)
    text = formatting.amount(centre, std, digits) if values else formatting.UNRECORDED
    return Cell(text, (centre, std, len(values)), tuple(sources))
