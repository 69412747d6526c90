"""Lists of images and their labels or masks: CSV with a header, or JSON lines."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from salx.data.image_files import ClassifiedFiles, ImageFiles, MaskedFiles
from salx.infra.errors import InputError

LISTS = (".csv", ".jsonl")  # how the names of lists end
SPLITS = ("train", "val")


class Row(NamedTuple):
    """An image, its class name or mask file ("": it has none), its split, and where the list
    says so."""

    image: str
    target: str
    split: str
    where: str


def read(root: Path, name: str, target: str, needed: bool) -> list[Row]:
    """Read the rows of a list.

    Args:
      root: the folder of the list.
      name: the list's file in it.
      target: its column "label" or "mask", which all images have or none.
      needed: whether all have to.

    Raises:
      InputError: naming the list and the line of what is missing, not a split, or listed twice.
    """
    path = root / name
    lines = csv_lines if name.endswith(".csv") else json_lines
    rows, first = [], {}
    try:
        for line, fields in lines(path):
            row = parsed(fields, target, f"{path}:{line}")
            if row.image in first:
                raise InputError(f"{row.where}: {row.image} is listed already, {first[row.image]}")
            first[row.image] = f"line {line}"
            rows.append(row)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    without = [row for row in rows if not row.target]
    if without and (needed or len(without) < len(rows)):
        raise InputError(f"{without[0].where}: has no {target!r}")
    return rows


def csv_lines(path: Path) -> Iterator[tuple[int, dict]]:
    """Read (line, fields) of a CSV file with a header."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for fields in reader:
            yield reader.line_num, fields


def json_lines(path: Path) -> Iterator[tuple[int, dict]]:
    """Read (line, fields) of a file with a JSON object in each line."""
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text.strip():
            fields = json.loads(text)
            yield line, fields if isinstance(fields, dict) else {}


def parsed(fields: dict[str, Any], target: str, where: str) -> Row:
    """Make a line's row; a file is normalised, and has to lie below the set's folder."""
    columns = {
        name: "" if (value := fields.get(name)) is None else str(value)
        for name in ("image", target)
    }
    if not columns["image"]:
        raise InputError(f"{where}: has no 'image'")
    split = fields.get("split") or SPLITS[0]
    if split not in SPLITS:
        raise InputError(f"{where}: the split {split!r} is neither train nor val")
    value = columns[target]
    if target == "mask" and value:
        value = inside(value, where)
    return Row(inside(columns["image"], where), value, split, where)


def inside(name: str, where: str) -> str:
    """Normalise a file's name, which has to lie below the set's folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(f"{where}: {name} does not lie below the set's folder")
    return str(path)


def size(root: Path, name: str, where: str) -> int:
    """Ask for a file's size in bytes. Raises InputError, naming the list's line."""
    try:
        return (root / name).stat().st_size
    except OSError as error:
        raise InputError(f"{where}: {root / name}: {error.strerror}") from error


def of_split(rows: Sequence[Row], split: str) -> list[Row]:
    """Select the rows of a split."""
    return [row for row in rows if row.split == split]


def sizes(root: Path, rows: Sequence[Row]) -> dict[str, int]:
    """Ask for the sizes in bytes of the rows' images, by name."""
    return {row.image: size(root, row.image, row.where) for row in rows}


def unlabelled(root: Path, rows: Sequence[Row]) -> list[ImageFiles]:
    """Make the sources of both splits. Raises InputError for a file that is not there."""
    return [ImageFiles(root, sizes(root, of_split(rows, split))) for split in SPLITS]


def classified(root: Path, rows: Sequence[Row], classes: Sequence[str]) -> list[ClassifiedFiles]:
    """Make the sources of both splits. Raises InputError for a label that is no class."""
    index = {name: number for number, name in enumerate(classes)}
    for row in rows:
        if row.target not in index:
            raise InputError(f"{row.where}: the label {row.target!r} is no class of the set")
    return [
        ClassifiedFiles(root, sizes(root, some), [index[row.target] for row in some])
        for some in (of_split(rows, split) for split in SPLITS)
    ]


def masked(root: Path, rows: Sequence[Row], map: np.ndarray) -> list[MaskedFiles]:
    """Make the sources of both splits. Raises InputError for a file that is not there."""
    return [
        MaskedFiles(
            root,
            sizes(root, some),
            [row.target for row in some],
            [size(root, row.target, row.where) for row in some],
            map,
        )
        for some in (of_split(rows, split) for split in SPLITS)
    ]
