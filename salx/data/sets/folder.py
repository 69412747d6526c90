"""Anybody's own images: class folders, images with masks, a list of them, or images alone.

Where dir/train is there, it is the pool and dir/val, if any, validation; else dir is the pool.
Without validation a pool can be chosen from, but nothing is measured.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from salx import tasks
from salx.data import image_files, listing, lists, occurrence
from salx.data.datasets import Dataset, register
from salx.data.decoding import UNKNOWN, label_map
from salx.infra.errors import ArgumentError, unknown

HOW = (
    "It holds <class>/*, or images/* and masks/*.png, or both under train/ and val/; or a list "
    "of files, whose name is given as {.labels}"
)


@register("folder")
def load(
    dir: str = "",
    task: str = "classification",
    labels: str = "folders",
    classes: Sequence[str] = (),
) -> Dataset:
    """Images and labels from `dir`, sorted by name or, from a list, in the list's order.

    labels: "folders": [train/|val/]<class>/* for classification, else [train/|val/]images/**
            with masks/** of the same names; "none": every image below dir, without labels;
            "<file>.csv", ".tsv" or ".jsonl" in dir: image and label or mask, as paths below dir,
            and, if it likes, split: train or val. Without classes, the images may be alone.
    classes: names in order. Masks hold indices into them, or 255, so they have to be given for
             masks; else they are what is found, sorted.

    Raises InputError that names the file, or the list and its line.
    """
    if ":" not in task and task not in tasks.TASKS.names():
        raise unknown("{name}", task, tasks.TASKS.names(), "task")
    kind = tasks.get(task, "task")
    names = tuple(classes)
    _check_classes(names, needed=kind.dense and labels != "none")
    root = listing.locate("folder", dir, ("",), HOW)
    if labels == "none":
        sources = [image_files.ImageFiles(root, listing.below(root))]
    elif lists.is_list(labels):
        target = "mask" if kind.dense else "label"
        rows = lists.read(root, labels, target, needed=bool(names))
        if rows and not rows[0].target:
            sources = lists.unlabelled(root, rows)
        elif not kind.dense:
            names = names or tuple(sorted({row.target for row in rows}))
            sources = lists.classified(root, rows, names)
        else:
            sources = lists.masked(root, rows, _indices(names))
    elif labels != "folders":
        raise unknown("{name}", labels, ("folders", "none", "<file>.csv, .tsv or .jsonl"), "labels")
    elif not kind.dense:
        names = names or listing.class_names(root / _splits(root)[0])
        sources = [listing.class_folders(root, split, names) for split in _splits(root)]
    else:
        sources = [_masks_of(root, split, names) for split in _splits(root)]
    _warn(sources, names, root)
    pool, val = (*sources, image_files.ImageFiles(root, {}))[:2]
    return image_files.photographs(
        name="folder",
        task=kind,
        about=f"{len(pool)} and {len(val)} images of the folder {root.name}",
        pool=pool,
        val=val,
        classes=names,
        image_shape=image_files.common_shape(pool, val),
    )


def _warn(sources: Sequence[image_files.ImageFiles], names: tuple[str, ...], root: Path) -> None:
    """Warn of classes that occur nowhere, and of masks that look as if they meant another thing."""
    labelled = [source for source in sources if isinstance(source, image_files.ClassifiedFiles)]
    if labelled:
        occurrence.warn_of_labels(labelled, names, str(root))
    elif isinstance(sources[0], image_files.MaskedFiles):
        occurrence.warn_of_masks(sources[0], names, str(root))


def _check_classes(names: tuple[str, ...], needed: bool) -> None:
    if needed and not names:
        raise ArgumentError("classes", "{name}: needs the names of the masks' classes 0, 1, ...")
    if len(set(names)) < len(names) or (needed and len(names) > UNKNOWN):
        raise ArgumentError("classes", f"{{name}}: names each once, and for masks up to {UNKNOWN}")


def _splits(root: Path) -> list[str]:
    """The folders below `root` of the pool and, if there is one, of validation."""
    there = [split for split in ("train", "val") if (root / split).is_dir()]
    return there if "train" in there else [""]


def _indices(names: Sequence[str]) -> np.ndarray:
    """The label map of masks that hold class indices or 255."""
    return label_map({number: number for number in range(len(names))})


def _masks_of(root: Path, split: str, names: Sequence[str]) -> image_files.MaskedFiles:
    prefix = listing.prefix(split)
    return listing.with_masks(root, f"{prefix}images", f"{prefix}masks", _indices(names))
