"""ADE20K as the scene parsing benchmark has it: 20,210 + 2,000 images, 150 classes.

B. Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017.
"""

from typing import Any

from salx.data import decoding, image_files, listing, tfds
from salx.data.datasets import Dataset, register
from salx.data.sets import classes
from salx.tasks.segmentation import Segmentation

HOW = (
    "ADEChallengeData2016.zip is at http://sceneparsing.csail.mit.edu, for research and "
    "education; unpacked it lies as ADEChallengeData2016/{images,annotations}/{training,validation}"
)
LAYOUTS = ("images/training", "ADEChallengeData2016/images/training")
LABELS = classes.labels(classes.table("ade20k"))


def _objects() -> classes.Labels:
    """The 100 classes that instance masks have, numbered from 1; 0 is everything else."""
    rows = [row for row in classes.table("ade20k") if row["object"]]
    counted = [{**row, "class": int(row["object"]) - 1} for row in rows]
    nothing = {"object": "0", "class": classes.IGNORED}
    return classes.labels([nothing, *counted], stored="object")


OBJECTS = _objects()


@register("ade20k")
def load(dir: str = "", source: str = "folder") -> Dataset:
    """The 150 classes from the set's folders: a mask's k is class k - 1, its 0 is 255.

    tensorflow_datasets' scene_parse150 (`source="tfds"`) carries another task's masks: the
    instances of 100 of the classes, and nothing where the other 50 are, such as wall and sky.
    It gives these 100 classes, 255 elsewhere; its results are not those of ADE20K.
    """
    return tfds.choose(source, _from_folders, _from_tfds)(dir)


def _from_folders(dir: str) -> Dataset:
    root = listing.locate("ade20k", dir, LAYOUTS, HOW).parent.parent
    pool, val = (
        listing.with_masks(root, f"images/{split}", f"annotations/{split}", LABELS.map)
        for split in ("training", "validation")
    )
    return _described("ADE20K, the 150 classes of scene parsing", pool, val, LABELS)


def _from_tfds(dir: str) -> Dataset:
    pool, val = tfds.splits("scene_parse150", dir, ("train", "test"), _item, HOW)
    return _described("ADE20K, the 100 object classes of its instances", pool, val, OBJECTS)


def _item(record: dict[str, Any]) -> dict[str, Any]:
    """An item from a record of tfds' scene_parse150: red is the class, green the instance."""
    image, annotation = (decoding.decode(record[name]) for name in ("image", "annotation"))
    return decoding.segmented(image, annotation[..., 0].copy(), OBJECTS.map)


def _described(about: str, pool, val, labels: classes.Labels) -> Dataset:
    return image_files.photographs(
        name="ade20k",
        task=Segmentation(),
        about=about,
        pool=pool,
        val=val,
        classes=labels.names,
        palette=labels.palette,
    )
