"""Cityscapes: 2,975 + 500 street scenes of 1024x2048, 19 classes.

M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
"""

from typing import Any

from salx.data import classes, folders, images, pictures, prepared
from salx.data.datasets import Dataset
from salx.tasks.segmentation import Segmentation

HOW = (
    "Cityscapes is given to those who register at https://www.cityscapes-dataset.com, for "
    "research: leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip, unpacked into one folder"
)
ENDINGS = (("_leftImg8bit.png",), ("_gtFine_labelIds.png",))
LABELS = classes.labels(classes.table("cityscapes"))


def load(dir: str = "", source: str = "folder") -> Dataset:
    """The set from its folders, or as tensorflow_datasets prepared it (`source="tfds"`).

    labelIds become the 19 trainIds; every other id is 255. A value beyond 33 but 255 is an error.
    """
    return prepared.choose(source, from_folders, from_tfds)(dir)


def from_folders(dir: str) -> Dataset:
    root = folders.locate("cityscapes", dir, ("leftImg8bit/train",), HOW).parent.parent
    pool, val = (
        folders.with_masks(root, f"leftImg8bit/{part}", f"gtFine/{part}", LABELS.map, ENDINGS)
        for part in ("train", "val")
    )
    return described(pool, val, pictures.common_shape(pool, val))


def from_tfds(dir: str) -> Dataset:
    name = "cityscapes/semantic_segmentation"
    pool, val = prepared.splits(name, dir, ("train", "validation"), item, HOW)
    return described(pool, val, (1024, 2048, 3))


def item(record: dict[str, Any]) -> dict[str, Any]:
    """An item from a record of tfds' cityscapes."""
    image = images.decode(record["image_left"])
    return images.segmented(image, images.decode_mask(record["segmentation_label"]), LABELS.map)


def described(pool, val, shape: images.Shape) -> Dataset:
    return pictures.photographs(
        name="cityscapes",
        task=Segmentation(),
        about="Cityscapes with fine annotations, the 19 classes of its benchmark",
        pool=pool,
        val=val,
        classes=LABELS.names,
        palette=LABELS.palette,
        image_shape=shape,
    )
