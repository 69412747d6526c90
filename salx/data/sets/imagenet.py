"""ImageNet, the classification task of ILSVRC 2012: 1,281,167 + 50,000 images, 1,000 synsets.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015.
"""

from salx.data import image_files, listing, tfds
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
    """The set from its folders, or as tensorflow_datasets prepared it (`source="tfds"`).

    Classes are the synsets in sorted order, the challenge's own; folders may hold a part of
    them. Raises InputError for a folder that is none of the 1,000.
    """
    return tfds.choose(source, _from_folders, _from_tfds)(dir)


def _from_folders(dir: str) -> Dataset:
    root = listing.locate("imagenet", dir, LAYOUTS, HOW).parent
    synsets = listing.class_names(root / "train")
    for name in synsets:
        if name not in IMAGENET:
            raise InputError(f"{root / 'train' / name}: no synset of ILSVRC 2012")
    pool, val = (listing.class_folders(root, split, synsets) for split in ("train", "val"))
    return _described(pool, val, synsets)


def _from_tfds(dir: str) -> Dataset:
    pool, val = tfds.splits("imagenet2012", dir, ("train", "validation"), tfds.classified, HOW)
    tfds.check_classes(pool, "label", IMAGENET)
    return _described(pool, val, IMAGENET)


def _described(pool, val, synsets: tuple[str, ...]) -> Dataset:
    about = f"ImageNet (ILSVRC 2012), {len(synsets)} of its 1,000 synsets"
    return image_files.photographs(
        name="imagenet", task=Classification(), about=about, pool=pool, val=val, classes=synsets
    )
