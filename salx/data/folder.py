"""Anybody's own images: class folders, images with masks, a list of them, or images alone.

Where dir/train is there, it is the pool and dir/val, if any, validation; else dir is the pool.
Without validation a pool can be chosen from, but nothing is measured.
"""

from collections.abc import Sequence
from pathlib import Path

from salx import tasks
from salx.data import folders, lists, pictures
from salx.data.classes import UNKNOWN, label_map
from salx.data.datasets import Dataset
from salx.infra.errors import InputError, unknown

LISTS = (".csv", ".jsonl")
HOW = (
    "It holds <class>/*, or images/* and masks/*.png, or both under train/ and val/; or a list "
    "of files, whose name is given as config.dataset.labels"
)


def load(
    dir: str = "",
    task: str = "classification",
    labels: str = "folders",
    classes: Sequence[str] = (),
) -> Dataset:
    """Images and labels from `dir`, sorted by name or, from a list, in the list's order.

    labels: "folders": [train/|val/]<class>/* for classification, else [train/|val/]images/**
            with masks/** of the same names; "none": every image below dir, without labels;
            "<file>.csv" or "<file>.jsonl" in dir: image and label or mask, as paths below dir,
            and, if it likes, split: train or val. Without classes, the images may be alone.
    classes: names in order. Masks hold indices into them, or 255, so they have to be given for
             masks; else they are what is found, sorted.

    Raises InputError that names the file, or the list and its line.
    """
    if ":" not in task and task not in tasks.TASKS.names():
        raise unknown("config.dataset.task", task, tasks.TASKS.names())
    kind = tasks.get(task, "config.dataset.task")
    names = tuple(classes)
    check_classes(names, needed=kind.dense and labels != "none")
    root = folders.locate("folder", dir, ("",), HOW)
    if labels == "none":
        found = [pictures.Pictures(root, folders.below(root))]
    elif labels.endswith(LISTS):
        target = "mask" if kind.dense else "label"
        rows = lists.read(root, labels, target, needed=bool(names))
        if rows and not rows[0].target:
            found = lists.unlabelled(root, rows)
        elif not kind.dense:
            names = names or tuple(sorted({row.target for row in rows}))
            found = lists.classified(root, rows, names)
        else:
            found = lists.masked(root, rows, indices(names))
    elif labels != "folders":
        raise unknown("config.dataset.labels", labels, ("folders", "none", "<file>.csv or .jsonl"))
    elif not kind.dense:
        names = names or folders.class_names(root / parts(root)[0])
        found = [folders.class_folders(root, part, names) for part in parts(root)]
    else:
        found = [masks_of(root, part, names) for part in parts(root)]
    pool, val = (*found, pictures.Pictures(root, {}))[:2]
    return pictures.photographs(
        name="folder",
        task=kind,
        about=f"{len(pool)} and {len(val)} images of the folder {root.name}",
        pool=pool,
        val=val,
        classes=names,
        image_shape=pictures.common_shape(pool, val),
    )


def check_classes(names: tuple[str, ...], needed: bool) -> None:
    if needed and not names:
        raise InputError("config.dataset.classes: needs the names of the masks' classes 0, 1, ...")
    if len(set(names)) < len(names) or (needed and len(names) > UNKNOWN):
        raise InputError(f"config.dataset.classes: names each once, and for masks up to {UNKNOWN}")


def parts(root: Path) -> list[str]:
    """The folders below `root` of the pool and, if there is one, of validation."""
    there = [part for part in ("train", "val") if (root / part).is_dir()]
    return there if "train" in there else [""]


def indices(names: Sequence[str]):
    """The label map of masks that hold class indices or 255."""
    return label_map({number: number for number in range(len(names))})


def masks_of(root: Path, part: str, names: Sequence[str]) -> pictures.Masked:
    prefix = folders.prefix(part)
    return folders.with_masks(root, f"{prefix}images", f"{prefix}masks", indices(names))
