"""The table of models' operations and of what accelerators would take for them.

One operation is one multiply-accumulate (MAC) of a convolution or linear layer, counted from the
model itself as it is traced. The latency is theoretical: giga-operations over tera-operations per
second. Beside them stand the figures of A. Frickenstein et al., IntelliSys 2024, Table 2.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from salx.infra.errors import InputError
from salx.models import zoo
from salx.models.operations import macs

# Tera-operations per second of the paper's accelerators (TX2 in floating point), and
# giga-operations of DeepLabv3+ over each backbone, at 1024x2048 with the 19 classes of Cityscapes.
# All latencies there are their quotients.
TOPS = {"TX2": 1.3, "Xavier": 21.0, "Orin": 50.0}
PAPER = {
    "deeplab_resnet20": 60.3,
    "deeplab_mobilenet_v3_small": 61.1,
    "deeplab_resnet18": 181.8,
    "deeplab_resnet50": 404.1,
    "deeplab_xception65": 512.8,
}
SIZE, CLASSES = (1024, 2048), 19
NOTES = {
    "deeplab_resnet18": "the paper's figure is not reproduced: it is that of a low-level "
    "projection with 256 input channels, where ResNet-18 has 64",
    "deeplab_resnet20": "the paper's figure is not reproduced: it does not say which ResNet-20; "
    "this one has the CIFAR network's three stages under an ImageNet stem",
}

Record = dict[str, Any]  # the cells of a row by column


class Row(NamedTuple):
    """Hold the operations of one model.

    Attributes:
      model: its name.
      macs: multiply-accumulates for one image, as counted.
      paper: what the paper says of it, in units of 1e9; None where it says nothing.
      note: why the two differ, where they do; else empty.
    """

    model: str
    macs: int
    paper: float | None = None
    note: str = ""


def row(name: str, size: tuple[int, int], classes: int) -> Row:
    """Count the operations of a network for one image.

    Args:
      name: a name that `zoo.get` knows.
      size: (h, w) of the image.
      classes: how many the network tells apart.

    Returns:
      The row, with the paper's figure where size and classes are the paper's.

    Raises:
      InputError: if there is no such network, or it cannot be so.
    """
    constructor = zoo.get(name)
    try:
        counted = macs(constructor(classes=classes), size)
    except Exception as error:  # whatever a module raises about a size that it cannot have
        raise InputError(
            f"{name} at {size[0]}x{size[1]} with {classes} classes: {error}"
        ) from error
    if (size, classes) != (SIZE, CLASSES):
        return Row(name, counted)
    return Row(name, counted, PAPER.get(name), NOTES.get(name, ""))


def records(rows: Sequence[Row], tops: Mapping[str, float]) -> list[Record]:
    """Divide operations by speeds.

    Args:
      rows: the models.
      tops: tera-operations per second of each device.

    Returns:
      For each row {"model", "MACs", "GOPs", "GOPs (paper)", "<device> ms", "<device> ms
      (paper)", ..., "note"}; None is what the paper does not say.
    """
    rates = {"GOPs": 1.0, **{f"{device} ms": tops[device] for device in tops}}
    table = []
    for row in rows:
        record: Record = {"model": row.model, "MACs": row.macs}
        for name, rate in rates.items():
            record[name] = row.macs / 1e9 / rate
            record[f"{name} (paper)"] = None if row.paper is None else row.paper / rate
        table.append({**record, "note": row.note})
    return table


def shown(name: str, value: float | None) -> str:
    """Format a number of a column; the paper's figures have one decimal.

    Args:
      name: of the column, as `records` names it.
      value: the number; None where there is none.

    Returns:
      Two decimals from 1 on, three digits below; empty for None.
    """
    if value is None:
        return ""
    return f"{value:.1f}" if "paper" in name else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def _cells(table: Sequence[Record]) -> list[list[str]]:
    """Format a head and a line for each record, without MACs and notes, or columns all empty."""
    names = [name for name in table[0] if any(record[name] is not None for record in table)]
    names = [name for name in names if name not in ("model", "MACs", "note")]
    head = ["model", *("paper" if "paper" in name else name for name in names)]
    return [head] + [[r["model"], *(shown(name, r[name]) for name in names)] for r in table]


def _as_json(table: Sequence[Record]) -> str:
    """Write the records as JSON."""
    return json.dumps(table, indent=2) + "\n"


def _as_csv(table: Sequence[Record]) -> str:
    """Write the records as CSV, with numbers in full."""
    file = io.StringIO()
    writer = csv.DictWriter(file, table[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return file.getvalue()


def _as_markdown(table: Sequence[Record]) -> str:
    """Write the cells as a table of Markdown, and the notes below it."""
    head, *lines = _cells(table)
    rule = ["---", *["---:"] * (len(head) - 1)]
    text = ["| " + " | ".join(line) + " |" for line in (head, rule, *lines)]
    return "\n".join([*text, *_notes(table, "\n- ")]) + "\n"


def _as_text(table: Sequence[Record]) -> str:
    """Write the cells for a terminal, and the notes below them."""
    head, *lines = _cells(table)
    drawn = Table(box=box.SIMPLE, pad_edge=False)
    for name in head:
        drawn.add_column(name, justify="left" if name == "model" else "right")
    for line in lines:
        drawn.add_row(*line)
    console = Console(width=30 + 14 * len(head), file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(drawn)
    lines = [line.rstrip() for line in capture.get().strip("\n").splitlines()]
    return "\n".join([*lines, *_notes(table, "")]) + "\n"


def _notes(table: Sequence[Record], start: str) -> list[str]:
    """List the records' notes, each after `start`."""
    return [f"{start}{record['model']}: {record['note']}" for record in table if record["note"]]


# How a table is written, by the format's name: records -> text.
FORMATS: dict[str, Callable[[Sequence[Record]], str]] = {
    "text": _as_text,
    "json": _as_json,
    "csv": _as_csv,
    "md": _as_markdown,
}
