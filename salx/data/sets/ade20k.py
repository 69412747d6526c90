"""ADE20K as the scene parsing benchmark has it: 20,210 + 2,000 images, 150 classes.

B. Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017.
"""

from pathlib import Path
from typing import Any

import numpy as np

from salx.data import decoding, image_files, listing, tfds
from salx.data.datasets import Dataset, register
from salx.data.sets import classes
from salx.infra import paths
from salx.infra.errors import InputError
from salx.tasks.segmentation import Segmentation

HOW = (
    "ADEChallengeData2016.zip is at http://sceneparsing.csail.mit.edu, for research and "
    "education; unpacked it lies as ADEChallengeData2016/{images,annotations}/{training,validation}"
)
LAYOUTS = ("images/training", "ADEChallengeData2016/images/training")
FEATURES = ("image", "annotation")  # of tfds' records
LABELS = classes.labels(classes.table("ade20k"))
CONVERTED = (
    "holds 255, which no annotation of the benchmark does. It looks like one whose zero was "
    "reduced already (wall is 0, nothing is 255), whose wall would be read as nothing. Take the "
    "official files, or set label_ids='train' to read the masks as classes 0 to 149"
)


def _objects() -> classes.Labels:
    """Make the labels of the 100 classes of instance masks, numbered from 1; 0 is the rest."""
    rows = [row for row in classes.table("ade20k") if row["object"]]
    counted = [{**row, "class": int(row["object"]) - 1} for row in rows]
    nothing = {"object": "0", "class": classes.IGNORED}
    return classes.labels([nothing, *counted], stored="object")


OBJECTS = _objects()


@register("ade20k")
def load(dir: str = "", source: str = "folder", label_ids: str = "official") -> Dataset:
    """Load ADE20K with the 150 classes of scene parsing: k in a mask is class k - 1, 0 is 255.

    tensorflow_datasets' scene_parse150 carries another task's masks: the instances of 100 of
    the classes, and nothing where the other 50 are, such as wall and sky. It gives these 100
    classes, 255 elsewhere; its results are not those of ADE20K.

    Args:
      dir: the folder of the set.
      source: "folder" for the set's own files, "tfds" for scene_parse150.
      label_ids: "official" for masks as they are published, "train" for masks that hold 0 to
        149 and 255, as other tools make them.

    Returns:
      A segmentation: training is the pool, validation is val.

    Raises:
      ArgumentError: naming an option that is wrong, as where the set is not in `dir`.
      InputError: naming an image or mask that is missing, or the full ADE20K in place of the
        benchmark's.
    """
    map = classes.stored_map(LABELS, label_ids, source)
    return tfds.choose(source, lambda dir: _from_folders(dir, map), _from_tfds)(dir)


def _from_folders(dir: str, map: np.ndarray) -> Dataset:
    """Load the set's own files."""
    if dir:
        _refuse_full(paths.local(dir, "dir"))
    root = listing.locate("ade20k", dir, LAYOUTS, HOW).parent.parent
    pool, val = (
        listing.with_masks(root, f"images/{split}", f"annotations/{split}", map)
        for split in ("training", "validation")
    )
    if map is LABELS.map:
        pool.converted = val.converted = CONVERTED
    return _described("ADE20K, the 150 classes of scene parsing", pool, val, LABELS)


def _refuse_full(root: Path) -> None:
    """Raise InputError where the full ADE20K lies, of 2016 or 2021, whose masks are others."""
    for folder in (root, *sorted(root.glob("ADE20K_20*"))):
        images = folder / "images"
        scenes = images / "training"  # of 2016: letters, scenes, images with *_seg.png beside
        if (images / "ADE").is_dir():
            year = 2021
        elif not (folder / "annotations").is_dir() and next(scenes.rglob("*_seg.png"), None):
            year = 2016
        else:
            continue
        raise InputError(
            f"{folder}: is the full ADE20K of {year}, whose masks (*_seg.png) have thousands of "
            f"classes; the 150 classes need the files of the benchmark. {HOW}"
        )


def _from_tfds(dir: str) -> Dataset:
    """Load scene_parse150 as tensorflow_datasets prepared it."""
    pool, val = tfds.splits("scene_parse150", dir, ("train", "test"), _item, FEATURES, HOW)
    return _described("ADE20K, the 100 object classes of its instances", pool, val, OBJECTS)


def _item(record: dict[str, Any]) -> dict[str, Any]:
    """Make an item of a record of scene_parse150: red is the class, green the instance."""
    image, annotation = (decoding.decode(record[name]) for name in FEATURES)
    return decoding.segmented(image, annotation[..., 0].copy(), OBJECTS.map)


def _described(about: str, pool, val, labels: classes.Labels) -> Dataset:
    """Make the data set of its two splits."""
    return image_files.photographs(
        name="ade20k",
        task=Segmentation(),
        about=about,
        pool=pool,
        val=val,
        classes=labels.names,
        palette=labels.palette,
    )
