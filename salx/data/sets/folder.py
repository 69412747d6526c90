"""Anybody's own images: class folders, images with masks, a list of them, or images alone.

Where dir/train is there, it is the pool and dir/val, if any, validation; else dir is the pool.
train may be called training, and val valid, validation, or else test or testing, in any case.
Without validation a pool can be chosen from, but nothing is measured.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import logging

from salx import tasks
from salx.data import heic, image_files, inventory, layouts, listing, lists, occurrence
from salx.data.datasets import Dataset, register
from salx.data.decoding import UNKNOWN, label_map
from salx.data.inventory import READABLE, Inventory
from salx.data.survey import survey
from salx.data.walk import Walk
from salx.infra.errors import ArgumentError, InputError, unknown

HOW = (
    "It holds <class>/*, or images/* and masks/*.png, or both under train/ and val/; or a list "
    "of files, whose name is given as {.labels}"
)
NO_CLASS = (
    "{path}: a folder of this name is taken for no class: classes lie in <class>/* or, with "
    "validation, train/<class>/* and val/<class>/*, and images/ with masks/ are read with "
    "{{.task}}='segmentation'; if it is a class, name all in {{.classes}}, or say "
    "{{name}}='all_folders'"
)
TOO_DEEP = (
    "{path}: lies in a folder in a class folder: is {{.dir}} a level too high? "
    "{{name}}='all_folders' takes all that lies below a class folder"
)
FOLDERS, IMAGES = ("folders", "all_folders"), ("none", "all")  # labels, but for lists


@register("folder")
def load(
    dir: str = "",
    task: str = "classification",
    labels: str = "folders",
    classes: Sequence[str] = (),
    orientation: str = "auto",
    on_error: str = "raise",
) -> Dataset:
    """Load images and their labels from a folder, sorted by name or in the order of a list.

    Args:
      dir: the folder.
      task: the name of a task: "classification", "segmentation" or another one.
      labels: where labels come from.
        "folders": [train/|val/]<class>/* for classification, else [train/|val/]images/** with
        masks/** of the same names.
        "none": every image below dir, without labels, but for masks beside images, copies of an
        earlier selection and folders of systems (@eaDir).
        "<file>.csv", ".tsv" or ".jsonl": a list in dir with the columns image and label or mask,
        as paths below dir, and, if it likes, split: train or val. Without `classes`, it may
        have the column image alone.
        "all_folders" and "all" are "folders" and "none" where names of folders mean nothing: a
        class may be called val and hold further folders, and nothing is left out.
      classes: the names of the classes, in order. Masks hold indices into them, or 255, so that
        masks need them; without masks, () takes the classes that are there, sorted.
      orientation: "auto" turns images as EXIF says, and masks with them if they have the size of
        the stored image; where sizes do not tell, the set is refused. "apply" assumes there that
        masks were drawn on the turned images; "ignore" turns nothing.
      on_error: "skip" leaves out links that lead nowhere and names that cannot be read; "raise"
        stops at them.

    Returns:
      The set; val is empty where there is no validation.

    Raises:
      ArgumentError: naming an option that is wrong.
      InputError: naming the file, or the list and its line.
    """
    if ":" not in task and task not in tasks.TASKS.names():
        raise unknown("{name}", task, tasks.TASKS.names(), "task")
    if labels not in (*FOLDERS, *IMAGES) and not lists.is_list(labels):
        choices = (*FOLDERS, *IMAGES, "<file>.csv, .tsv or .jsonl")
        raise unknown("{name}", labels, choices, "labels")
    kind, names = tasks.get(task, "task"), tuple(classes)
    _check_classes(names, needed=kind.dense and labels not in IMAGES)
    root = listing.locate("folder", dir, ("",), HOW)
    walk = Walk(READABLE, on_error == "skip", () if labels.startswith("all") else layouts.SYSTEM)
    about = Inventory({})
    if labels in IMAGES:
        sizes = listing.below(root, READABLE, walk)
        about = inventory.of_pool(root, sizes) if labels == "none" else Inventory(sizes)
        sources = [image_files.ImageFiles(root, about.taken)]
    elif labels in FOLDERS and not kind.dense:
        names, sources = _class_folders(root, names, labels == "all_folders", walk)
    elif labels in FOLDERS:
        sources = [_masks_of(root, split, names, walk) for split in _splits(root, (), walk)]
    else:
        names, sources = _listed(root, labels, kind.dense, names)
    _check_heic([key for source in sources for key in source.keys], root, walk.skip)
    _warn(sources, names, root)
    looked = survey("folder", (*sources, image_files.ImageFiles(root, {}))[:2], orientation)
    pool, val = looked.sources
    left = inventory.summary([*pool.keys, *val.keys], walk, about)
    if labels in IMAGES and not len(pool):
        why = left or inventory.faults(walk) or "no file lies there"
        raise InputError(f"{root}: the pool is empty: {why}")
    _tell([inventory.faults(walk), left, *looked.odd])
    return image_files.photographs(
        name="folder",
        task=kind,
        about=f"{len(pool)} and {len(val)} images of the folder {root.name}",
        pool=pool,
        val=val,
        classes=names,
        image_shape=looked.shape,
        validation="" if len(val) else _looked_for(root, labels),
    )


def _warn(sources: Sequence[image_files.ImageFiles], names: tuple[str, ...], root: Path) -> None:
    """Warn of classes that occur nowhere, and of masks that look as if they meant another thing."""
    labelled = [source for source in sources if isinstance(source, image_files.ClassifiedFiles)]
    if labelled:
        occurrence.warn_of_labels(labelled, names, str(root))
    elif isinstance(sources[0], image_files.MaskedFiles):
        occurrence.warn_of_masks(sources[0], names, str(root))


def _check_classes(names: tuple[str, ...], needed: bool) -> None:
    """Raise ArgumentError for classes that are missing, repeated or too many."""
    if needed and not names:
        raise ArgumentError("classes", "{name}: needs the names of the masks' classes 0, 1, ...")
    if len(set(names)) < len(names) or (needed and len(names) > UNKNOWN):
        raise ArgumentError("classes", f"{{name}}: names each once, and for masks up to {UNKNOWN}")


def _listed(
    root: Path, labels: str, dense: bool, names: tuple[str, ...]
) -> tuple[tuple[str, ...], Sequence[image_files.ImageFiles]]:
    """Give the classes and the sources of both splits of a list."""
    rows = lists.read(root, labels, "mask" if dense else "label", needed=bool(names))
    if rows and not rows[0].target:
        return names, lists.unlabelled(root, rows)
    if dense:
        return names, lists.masked(root, rows, _indices(names))
    names = names or tuple(sorted({row.target for row in rows}))
    return names, lists.classified(root, rows, names)


def _splits(root: Path, names: Sequence[str], walk: Walk) -> list[str]:
    """Find the folders below `root` of the pool and, if there is one, of validation.

    One of the classes `names` may be called train, where folders of other classes lie next to it.
    """
    listed = [entry.name for entry in listing.entries(root, walk) if entry.is_dir()]
    if any(name in names and not layouts.is_split(name) for name in listed):
        listed = [name for name in listed if name not in names]
    train, val = layouts.splits(root, listed)
    return [train, val] if train and val else [train]


def _class_folders(
    root: Path, names: tuple[str, ...], every: bool, walk: Walk
) -> tuple[tuple[str, ...], list[image_files.ClassifiedFiles]]:
    """Give the classes and the sources of both splits.

    Where `every` is False, ArgumentError refuses what looks like another layout: a folder of a
    name that no class has, and a folder in a class folder.
    """
    splits = _splits(root, names, walk)
    classes = names or listing.class_names(root / splits[0], walk)
    for name in () if names or every else classes:
        if layouts.is_no_class(name):
            raise ArgumentError("labels", NO_CLASS.format(path=root / splits[0] / name))
    sources = [listing.class_folders(root, split, classes, walk=walk) for split in splits]
    for source, split in zip(sources, splits, strict=True):
        depth = 1 + bool(split)
        deep = next((key for key in source.keys if key.count("/") > depth), "")
        if deep and not every:
            raise ArgumentError("labels", TOO_DEEP.format(path=root / deep))
    return classes, sources


def _indices(names: Sequence[str]) -> np.ndarray:
    """Make the label map of masks that hold class indices or 255."""
    return label_map({number: number for number in range(len(names))})


def _masks_of(root: Path, split: str, names: Sequence[str], walk: Walk) -> image_files.MaskedFiles:
    """Make the source of a split of images with masks."""
    prefix, endings = listing.prefix(split), (READABLE, listing.MASKS)
    folders = f"{prefix}images", f"{prefix}masks"
    return listing.with_masks(root, *folders, _indices(names), endings, walk)


def _check_heic(keys: Sequence[str], root: Path, skip: bool) -> None:
    """Raise InputError for HEIC that cannot be read, unless that is skipped when it is read."""
    files = [key for key in keys if key.lower().endswith(heic.ENDINGS)]
    if files and not skip and not heic.installed():
        raise InputError(
            f"{root / files[0]}: {len(files):,} of {len(keys):,} images are HEIC. {heic.INSTALL}; "
            "or on_error=skip leaves them out"
        )


def _tell(lines: Sequence[str]) -> None:
    """Warn of what a user should know of the files, a line each."""
    for line in filter(None, lines):
        logging.warning(f"data set 'folder': {line}")


def _looked_for(root: Path, labels: str) -> str:
    """Say where validation was looked for, for a study that has none."""
    if labels in IMAGES:
        return f"labels={labels!r} reads a pool alone"
    if lists.is_list(labels):
        return f"no line of {root / labels} has the split val"
    names = ", ".join((*layouts.VALIDATION, *layouts.TEST))
    return f"{root} has no folder train with one of {names} beside it"
