"""Lists of images and their labels or masks: CSV with a header, or JSON lines."""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import logging
from jaxtyping import UInt8

from salx.data import keys, tables
from salx.data.image_files import ClassifiedFiles, ImageFiles, MaskedFiles
from salx.infra import paths
from salx.infra.errors import InputError
from salx.infra.numbers import shown

LISTS = (".csv", ".tsv", ".jsonl")  # how the names of lists end, in any case
SPLITS = ("train", "val")


class Row(NamedTuple):
    """Hold a line of a list.

    Attributes:
      image: the image's file, below the set's folder.
      target: the name of its class, or its mask's file below the set's folder; "" for none.
      split: "train" or "val".
      where: the list and the line, for messages.
    """

    image: str
    target: str
    split: str
    where: str


def is_list(name: str) -> bool:
    """Tell whether a file is called as a list is.

    Args:
      name: the file's name.

    Returns:
      Whether it ends as lists do, in any case.
    """
    return name.lower().endswith(LISTS)


def read(root: Path, name: str, target: str, needed: bool) -> list[Row]:
    """Read the rows of a list, and warn of labels with spaces around them.

    Args:
      root: the folder of the list.
      name: the list's file in it.
      target: the column of what belongs to an image, "label" or "mask".
      needed: whether every image needs one; else all have one, or none has.

    Returns:
      The rows, in the order of the list.

    Raises:
      InputError: naming the list and the line of what is missing, not a split, or listed twice.
    """
    path = root / paths.local(name, "labels")
    rows, first, spaced = [], {}, []
    for line, fields in tables.read(path, ("image", target, "split")):
        row = _parsed(root, fields, target, f"{path}:{line}")
        if row.image in first:
            raise InputError(f"{row.where}: {row.image} is listed already, {first[row.image]}")
        first[row.image] = f"line {line}"
        rows.append(row)
        if target == "label" and row.target and str(fields[target]) != row.target:
            spaced.append(f"line {line}: {str(fields[target])!r}")
    if spaced:
        logging.warning(f"{path}: spaces around {len(spaced)} labels do not count: {spaced[0]}")
    without = [row for row in rows if not row.target]
    if without and (needed or len(without) < len(rows)):
        raise InputError(f"{without[0].where}: has no {target!r}")
    return rows


def _parsed(root: Path, fields: Mapping[str, Any], target: str, where: str) -> Row:
    """Make a line's row; raise InputError for a field that cannot be what it should be."""
    image = _text(fields, "image", where)
    if not image.strip():
        columns = ", ".join(map(repr, fields)) if "image" not in fields else ""
        raise InputError(f"{where}: has no 'image'" + (f" among {columns}" if columns else ""))
    split = _text(fields, "split", where).strip().lower() or SPLITS[0]
    if split not in SPLITS:
        raise InputError(f"{where}: the split {split!r} is neither train nor val")
    value = _text(fields, target, where).strip()
    if target == "mask" and value:
        value = _inside(root, _text(fields, target, where), where)
    return Row(_inside(root, image, where), value, split, where)


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    """Read a value as text, "" for none; JSON has more kinds of values than names do."""
    value = fields.get(name)
    if value is None:
        return ""
    whole = isinstance(value, int) and not isinstance(value, bool) and name == "label"
    if not isinstance(value, str) and not whole:
        kinds = "text or a whole number" if name == "label" else "text"
        raise InputError(f"{where}: {name!r} is {shown(value)}, and has to be {kinds}")
    text = str(value)
    fault = paths.fault(text)
    if fault and text.strip() and not fault.startswith("is too long"):
        raise InputError(f"{where}: the {name} {paths.printable(text)} {fault}")
    return text


def _inside(root: Path, name: str, where: str) -> str:
    """Normalise a file's name, which has to lie below the set's folder.

    A name that is no file's is read as other systems write it: with `\\`, or percent-encoded.
    """
    forms = [form for form in keys.spellings(name) if not paths.fault(form)]
    if not forms:
        raise InputError(f"{where}: {paths.printable(name)[:80]} {paths.fault(name)}")
    below = [key for form in forms if (key := keys.below(root, form)) is not None]
    if not below:
        raise InputError(f"{where}: {name} does not lie below the set's folder")
    there = (key for key in below if len(below) == 1 or os.path.lexists(root / key))
    return next(there, below[0])


def _size(root: Path, name: str, where: str) -> int:
    """Ask for a file's size in bytes; raise InputError, naming the list's line."""
    try:
        facts = (root / name).stat()
    except OSError as error:
        raise InputError(f"{where}: {root / name}: {error.strerror}") from error
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(f"{where}: {root / name}: is no regular file")
    return facts.st_size


def _of_split(rows: Sequence[Row], split: str) -> list[Row]:
    """Select the rows of a split."""
    return [row for row in rows if row.split == split]


def _sizes(root: Path, rows: Sequence[Row]) -> dict[str, int]:
    """Ask for the sizes in bytes of the rows' images, by name."""
    return {row.image: _size(root, row.image, row.where) for row in rows}


def unlabelled(root: Path, rows: Sequence[Row]) -> list[ImageFiles]:
    """Make the sources of a list without labels.

    Args:
      root: the set's folder.
      rows: the rows of the list.

    Returns:
      The sources of the pool and of validation, each in the order of the list.

    Raises:
      InputError: naming the list's line, for a file that is not there.
    """
    return [ImageFiles(root, _sizes(root, _of_split(rows, split))) for split in SPLITS]


def classified(root: Path, rows: Sequence[Row], classes: Sequence[str]) -> list[ClassifiedFiles]:
    """Make the sources of a list of images with labels.

    Args:
      root: the set's folder.
      rows: the rows of the list.
      classes: the names of the classes, by index.

    Returns:
      The sources of the pool and of validation, each in the order of the list.

    Raises:
      InputError: naming the list's line, for a label that is no class or a file that is not
        there.
    """
    index = {name: number for number, name in enumerate(classes)}
    for row in rows:
        if row.target not in index:
            raise InputError(f"{row.where}: the label {row.target!r} is no class of the set")
    return [
        ClassifiedFiles(root, _sizes(root, some), [index[row.target] for row in some])
        for some in (_of_split(rows, split) for split in SPLITS)
    ]


def masked(root: Path, rows: Sequence[Row], map: UInt8[np.ndarray, "256"]) -> list[MaskedFiles]:
    """Make the sources of a list of images with masks.

    Args:
      root: the set's folder.
      rows: the rows of the list.
      map: the class of each value that masks store, from `decoding.label_map`.

    Returns:
      The sources of the pool and of validation, each in the order of the list.

    Raises:
      InputError: naming the list's line, for a file that is not there.
    """
    return [
        MaskedFiles(
            root,
            _sizes(root, some),
            [row.target for row in some],
            [_size(root, row.target, row.where) for row in some],
            map,
        )
        for some in (_of_split(rows, split) for split in SPLITS)
    ]
