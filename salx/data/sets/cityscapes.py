"""Cityscapes: 2,975 + 500 street scenes of 1024x2048, 19 classes.

M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
"""

from typing import Any

import numpy as np
from absl import logging

from salx.data import decoding, image_files, listing, tfds
from salx.data.datasets import Dataset, register
from salx.data.sets import classes
from salx.tasks.segmentation import Segmentation

HOW = (
    "Cityscapes is given to those who register at https://www.cityscapes-dataset.com, for "
    "research: leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip, unpacked into one folder"
)
ENDINGS = (("_leftImg8bit.png",), ("_gtFine_labelIds.png",))
FEATURES = ("image_left", "segmentation_label")  # of tfds' records
LABELS = classes.labels(classes.table("cityscapes"))
CONVERTED = (
    "holds 255, which no labelIds file of Cityscapes does. It looks like trainIds (0 to 18, and "
    "255), whose vegetation would be read as pavement. Take the official files, or set "
    "label_ids='train' to read the masks as trainIds"
)
COUNTS = {"train": 2975, "val": 500}
CITIES = {
    "train": (
        *("aachen", "bochum", "bremen", "cologne", "darmstadt", "dusseldorf", "erfurt", "hamburg"),
        *("hanover", "jena", "krefeld", "monchengladbach", "strasbourg", "stuttgart", "tubingen"),
        *("ulm", "weimar", "zurich"),
    ),
    "val": ("frankfurt", "lindau", "munster"),
}


@register("cityscapes")
def load(dir: str = "", source: str = "folder", label_ids: str = "official") -> Dataset:
    """Load Cityscapes; its labelIds become the 19 trainIds, and every other id becomes 255.

    A value beyond 33 in a mask is an error.

    Args:
      dir: the folder of the set, with leftImg8bit/ and gtFine/.
      source: "folder" for the set's own files, "tfds" for the set as tensorflow_datasets
        prepared it.
      label_ids: "official" for masks with labelIds, "train" for files that hold trainIds
        already, though their names say labelIds.

    Returns:
      A segmentation: train is the pool.

    Raises:
      ArgumentError: naming an option that is wrong, as where the set is not in `dir`.
      InputError: naming an image or mask that is missing.
    """
    map = classes.stored_map(LABELS, label_ids, source)
    return tfds.choose(source, lambda dir: _from_folders(dir, map), _from_tfds)(dir)


def _from_folders(dir: str, map: np.ndarray) -> Dataset:
    """Load the set's own files."""
    root = listing.locate("cityscapes", dir, ("leftImg8bit/train",), HOW).parent.parent
    pool, val = (
        listing.with_masks(root, f"leftImg8bit/{split}", f"gtFine/{split}", map, ENDINGS)
        for split in ("train", "val")
    )
    if map is LABELS.map:
        pool.converted = val.converted = CONVERTED
    _mention_cities(pool, val)
    return _described(pool, val, image_files.common_shape(pool, val))


def _mention_cities(pool: image_files.MaskedFiles, val: image_files.MaskedFiles) -> None:
    """Warn in a line where a city of the official set is not there, which makes a smaller one."""
    lacking = []
    for split, source in (("train", pool), ("val", val)):
        held = {name.split("/")[2] for name in source.keys}
        if gone := [city for city in CITIES[split] if city not in held]:
            lacking.append(
                f"{split} lacks {len(gone)} of its {len(CITIES[split])} cities "
                f"({', '.join(gone)}) and has {len(source)} of {COUNTS[split]} images"
            )
    if lacking:
        logging.warning(f"data set 'cityscapes' is not all there: {'; '.join(lacking)}")


def _from_tfds(dir: str) -> Dataset:
    """Load the set as tensorflow_datasets prepared it."""
    name = "cityscapes/semantic_segmentation"
    pool, val = tfds.splits(name, dir, ("train", "validation"), _item, FEATURES, HOW)
    return _described(pool, val, (1024, 2048, 3))


def _item(record: dict[str, Any]) -> dict[str, Any]:
    """Make an item of a record of tfds' cityscapes."""
    image, mask = (record[name] for name in FEATURES)
    return decoding.segmented(decoding.decode(image), decoding.decode_mask(mask), LABELS.map)


def _described(pool, val, shape: decoding.Shape) -> Dataset:
    """Make the data set of its two splits."""
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
