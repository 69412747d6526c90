"""ImageNet, the classification task of ILSVRC 2012: 1,281,167 + 50,000 images, 1,000 synsets.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015.
"""

from pathlib import Path

from salx.data import hints, image_files, listing, tfds
from salx.data.datasets import Dataset, register
from salx.data.sets.classes import IMAGENET
from salx.infra.errors import InputError
from salx.tasks.classification import Classification

HOW = (
    "ImageNet is given to those who register at https://image-net.org/download-images, for "
    "research; it lies as train/<synset>/*.JPEG and val/<synset>/*.JPEG"
)
LAYOUTS = ("train", "Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/train")


@register("imagenet")
def load(dir: str = "", source: str = "folder") -> Dataset:
    """Load ImageNet; classes are the synsets in sorted order, the challenge's own.

    Args:
      dir: the folder of the set.
      source: "folder" for {train,val}/<synset>/* in it, which may be some of the synsets;
        "tfds" for the set as tensorflow_datasets prepared it.

    Returns:
      A classification: train is the pool.

    Raises:
      ArgumentError: naming an option that is wrong, as where the set is not in `dir`.
      InputError: for a folder that is none of the 1,000 synsets, and for one of val that train
        lacks.
    """
    return tfds.choose(source, _from_folders, _from_tfds)(dir)


def _from_folders(dir: str) -> Dataset:
    """Load the set from synset folders of image files."""
    root = listing.locate("imagenet", dir, LAYOUTS, HOW).parent
    for split in ("train", "val"):
        _check_synsets(root / split)
    synsets = listing.class_names(root / "train")
    held_out = {entry.name for entry in listing.entries(root / "val") if entry.is_dir()}
    if lacking := sorted(held_out.difference(synsets)):
        raise InputError(
            f"{root / 'train' / lacking[0]}: is missing, though val has this synset: train lacks "
            f"{len(lacking)} of the synsets that val has"
        )
    pool, val = (listing.class_folders(root, split, synsets) for split in ("train", "val"))
    return _described(pool, val, synsets)


def _check_synsets(folder: Path) -> None:
    """Raise InputError for a folder that is no synset, and for a synset that is still packed."""
    hints.refuse_packed(folder, IMAGENET)
    for entry in listing.entries(folder):
        if entry.is_dir() and entry.name not in IMAGENET:
            raise InputError(f"{entry.path}: no synset of ILSVRC 2012")


def _from_tfds(dir: str) -> Dataset:
    """Load the set as tensorflow_datasets prepared it."""
    held = "train", "validation"
    pool, val = tfds.splits("imagenet2012", dir, held, tfds.classified, tfds.CLASSIFIED, HOW)
    tfds.check_classes(pool, "label", IMAGENET)
    return _described(pool, val, IMAGENET)


def _described(pool, val, synsets: tuple[str, ...]) -> Dataset:
    """Make the data set of its two splits."""
    about = f"ImageNet (ILSVRC 2012), {len(synsets)} of its 1,000 synsets"
    return image_files.photographs(
        name="imagenet", task=Classification(), about=about, pool=pool, val=val, classes=synsets
    )
