"""python -m salx latency: a model's operations, and what accelerators would take for them.

One operation is one multiply-accumulate (MAC) of a convolution or linear layer, counted from the
model itself as it is traced, without arithmetic or weights. The latency is theoretical: GOPs over
TOPS. Without --model: the paper's Table 2, beside its figures.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from salx import models
from salx.infra.errors import InputError, unknown
from salx.models.operations import macs

# A. Frickenstein et al., IntelliSys 2024, Table 2: tera-operations per second of the accelerators
# (TX2 in floating point), and giga-operations of DeepLabv3+ over each backbone, at 1024x2048 with
# the 19 classes of Cityscapes. All latencies there are their quotients.
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


class Row(NamedTuple):
    """One model: its MACs, and what the paper says of it in units of 1e9, if anything."""

    model: str
    macs: int
    paper: float | None = None
    note: str = ""


def row(name: str, size: tuple[int, int], classes: int) -> Row:
    """Counts a model of models.ZOO. Raises InputError if there is none or it cannot be so."""
    if name not in models.ZOO:
        raise unknown("model", name, models.ZOO)
    try:
        counted = macs(models.ZOO[name](classes=classes), size)
    except Exception as error:  # whatever a module raises about a size that it cannot have
        raise InputError(
            f"{name} at {size[0]}x{size[1]} with {classes} classes: {error}"
        ) from error
    known = (size, classes) == (SIZE, CLASSES)
    return Row(name, counted, PAPER.get(name), NOTES.get(name, "")) if known else Row(name, counted)


def records(rows: Sequence[Row], tops: dict[str, float]) -> list[dict[str, Any]]:
    """For each row {"model", "MACs", "GOPs", "GOPs (paper)", "<device> ms", "<device> ms
    (paper)", ..., "note"}; None is what the paper does not say."""
    found = []
    for row in rows:
        record = {"model": row.model, "MACs": row.macs}
        for name, rate in {
            "GOPs": 1.0,
            **{f"{device} ms": tops[device] for device in tops},
        }.items():
            record[name] = row.macs / 1e9 / rate
            record[f"{name} (paper)"] = None if row.paper is None else row.paper / rate
        found.append({**record, "note": row.note})
    return found


def shown(name: str, value: float | None) -> str:
    """The paper's figures have one decimal."""
    if value is None:
        return ""
    return f"{value:.1f}" if "paper" in name else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def cells(found: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A head and a line for each record, without MACs and notes, or columns that are empty."""
    names = [name for name in found[0] if any(record[name] is not None for record in found)]
    names = [name for name in names if name not in ("model", "MACs", "note")]
    head = ["model", *("paper" if "paper" in name else name for name in names)]
    return [head] + [[r["model"], *(shown(name, r[name]) for name in names)] for r in found]


def as_json(found) -> str:
    return json.dumps(found, indent=2) + "\n"


def as_csv(found) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, found[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return file.getvalue()


def as_markdown(found) -> str:
    head, *lines = cells(found)
    rule = ["---", *["---:"] * (len(head) - 1)]
    table = ["| " + " | ".join(line) + " |" for line in (head, rule, *lines)]
    return "\n".join([*table, *notes(found, "\n- ")]) + "\n"


def as_text(found) -> str:
    head, *lines = cells(found)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in head:
        table.add_column(name, justify="left" if name == "model" else "right")
    for line in lines:
        table.add_row(*line)
    console = Console(width=30 + 14 * len(head), file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(table)
    lines = [line.rstrip() for line in capture.get().strip("\n").splitlines()]
    return "\n".join([*lines, *notes(found, "")]) + "\n"


def notes(found, start: str) -> list[str]:
    return [f"{start}{record['model']}: {record['note']}" for record in found if record["note"]]


FORMATS = {"text": as_text, "json": as_json, "csv": as_csv, "md": as_markdown}


def size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) * int(width)):
        raise InputError(f"--size={text}: must be HEIGHTxWIDTH, as 1024x2048")
    return int(height), int(width)


def classes(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise InputError(f"--classes={text}: must be a positive integer")
    return int(text)


def device(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not (name and 0 < rate < float("inf")):
        raise InputError(f"--tops={text}: must be NAME=VALUE with a positive number, as Orin=50")
    return name, rate


class Parser(argparse.ArgumentParser):
    """Errors in one line."""

    def error(self, message: str):
        raise InputError(message)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0, or 2 for bad input, said in one line."""
    parser = Parser("python -m salx latency", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--model", action="append", help="name in salx.models.ZOO; may repeat")
    parser.add_argument("--size", type=size, default=SIZE, metavar="HxW")
    parser.add_argument("--classes", type=classes, default=CLASSES, metavar="N")
    parser.add_argument("--tops", type=device, action="append", metavar="NAME=VALUE")
    parser.add_argument("--format", choices=FORMATS, default="text")
    try:
        given = parser.parse_args(arguments)
        rows = [row(name, given.size, given.classes) for name in given.model or PAPER]
    except InputError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    print(FORMATS[given.format](records(rows, dict(given.tops or TOPS))), end="")
    return 0
