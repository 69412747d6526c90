"""ImageNet, the classification task of ILSVRC 2012: 1,281,167 + 50,000 images, 1,000 synsets.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015.
"""

from salx.data import folders, pictures, prepared
from salx.data.classes import IMAGENET
from salx.data.datasets import Dataset
from salx.infra.errors import InputError
from salx.tasks.classification import Classification

HOW = (
    "ImageNet is given to those who register at https://image-net.org/download-images, for "
    "research; it lies as train/<synset>/*.JPEG and val/<synset>/*.JPEG"
)
LAYOUTS = ("train", "Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/train")


def load(dir: str = "", source: str = "folder") -> Dataset:
    """The set from its folders, or as tensorflow_datasets prepared it (`source="tfds"`).

    Classes are the synsets in sorted order, the challenge's own; folders may hold a part of
    them. Raises InputError for a folder that is none of the 1,000.
    """
    return prepared.choose(source, from_folders, from_tfds)(dir)


def from_folders(dir: str) -> Dataset:
    root = folders.locate("imagenet", dir, LAYOUTS, HOW).parent
    synsets = folders.class_names(root / "train")
    for name in synsets:
        if name not in IMAGENET:
            raise InputError(f"{root / 'train' / name}: no synset of ILSVRC 2012")
    pool, val = (folders.class_folders(root, part, synsets) for part in ("train", "val"))
    return described(pool, val, synsets)


def from_tfds(dir: str) -> Dataset:
    pool, val = prepared.splits(
        "imagenet2012", dir, ("train", "validation"), prepared.classified, HOW
    )
    prepared.check_classes(pool, "label", IMAGENET)
    return described(pool, val, IMAGENET)


def described(pool, val, synsets: tuple[str, ...]) -> Dataset:
    about = f"ImageNet (ILSVRC 2012), {len(synsets)} of its 1,000 synsets"
    return pictures.photographs(
        name="imagenet", task=Classification(), about=about, pool=pool, val=val, classes=synsets
    )
