"""Cityscapes: 2,975 + 500 street scenes of 1024x2048, 19 classes.

M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
"""

from typing import Any

from salx.data import decoding, image_files, listing, tfds
from salx.data.datasets import Dataset, register
from salx.data.sets import classes
from salx.tasks.segmentation import Segmentation

HOW = (
    "Cityscapes is given to those who register at https://www.cityscapes-dataset.com, for "
    "research: leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip, unpacked into one folder"
)
ENDINGS = (("_leftImg8bit.png",), ("_gtFine_labelIds.png",))
LABELS = classes.labels(classes.table("cityscapes"))


@register("cityscapes")
def load(dir: str = "", source: str = "folder") -> Dataset:
    """The set from its folders, or as tensorflow_datasets prepared it (`source="tfds"`).

    labelIds become the 19 trainIds; every other id is 255. A value beyond 33 but 255 is an error.
    """
    return tfds.choose(source, _from_folders, _from_tfds)(dir)


def _from_folders(dir: str) -> Dataset:
    root = listing.locate("cityscapes", dir, ("leftImg8bit/train",), HOW).parent.parent
    pool, val = (
        listing.with_masks(root, f"leftImg8bit/{split}", f"gtFine/{split}", LABELS.map, ENDINGS)
        for split in ("train", "val")
    )
    return _described(pool, val, image_files.common_shape(pool, val))


def _from_tfds(dir: str) -> Dataset:
    name = "cityscapes/semantic_segmentation"
    pool, val = tfds.splits(name, dir, ("train", "validation"), _item, HOW)
    return _described(pool, val, (1024, 2048, 3))


def _item(record: dict[str, Any]) -> dict[str, Any]:
    """An item from a record of tfds' cityscapes."""
    image = decoding.decode(record["image_left"])
    return decoding.segmented(image, decoding.decode_mask(record["segmentation_label"]), LABELS.map)


def _described(pool, val, shape: decoding.Shape) -> Dataset:
    return image_files.photographs(
        name="cityscapes",
        task=Segmentation(),
        about="Cityscapes with fine annotations, the 19 classes of its benchmark",
        pool=pool,
        val=val,
        classes=LABELS.names,
        palette=LABELS.palette,
        image_shape=shape,
    )
