"""ADE20K as the scene parsing benchmark has it: 20,210 + 2,000 images, 150 classes.

B. Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017.
"""

from typing import Any

from salx.data import classes, folders, images, pictures, prepared
from salx.data.datasets import Dataset
from salx.tasks.segmentation import Segmentation

HOW = (
    "ADEChallengeData2016.zip is at http://sceneparsing.csail.mit.edu, for research and "
    "education; unpacked it lies as ADEChallengeData2016/{images,annotations}/{training,validation}"
)
LAYOUTS = ("images/training", "ADEChallengeData2016/images/training")
LABELS = classes.labels(classes.table("ade20k"))


def objects() -> classes.Labels:
    """The 100 classes that instance masks have, numbered from 1; 0 is everything else."""
    rows = [row for row in classes.table("ade20k") if row["object"]]
    counted = [{**row, "class": int(row["object"]) - 1} for row in rows]
    nothing = {"object": "0", "class": classes.IGNORED}
    return classes.labels([nothing, *counted], stored="object")


OBJECTS = objects()


def load(dir: str = "", source: str = "folder") -> Dataset:
    """The 150 classes from the set's folders: a mask's k is class k - 1, its 0 is 255.

    tensorflow_datasets' scene_parse150 (`source="tfds"`) carries another task's masks: the
    instances of 100 of the classes, and nothing where the other 50 are, such as wall and sky.
    It gives these 100 classes, 255 elsewhere; its results are not those of ADE20K.
    """
    return prepared.choose(source, from_folders, from_tfds)(dir)


def from_folders(dir: str) -> Dataset:
    root = folders.locate("ade20k", dir, LAYOUTS, HOW).parent.parent
    pool, val = (
        folders.with_masks(root, f"images/{part}", f"annotations/{part}", LABELS.map)
        for part in ("training", "validation")
    )
    return described("ADE20K, the 150 classes of scene parsing", pool, val, LABELS)


def from_tfds(dir: str) -> Dataset:
    pool, val = prepared.splits("scene_parse150", dir, ("train", "test"), item, HOW)
    return described("ADE20K, the 100 object classes of its instances", pool, val, OBJECTS)


def item(record: dict[str, Any]) -> dict[str, Any]:
    """An item from a record of tfds' scene_parse150: red is the class, green the instance."""
    image, annotation = (images.decode(record[name]) for name in ("image", "annotation"))
    return images.segmented(image, annotation[..., 0].copy(), OBJECTS.map)


def described(about: str, pool, val, labels: classes.Labels) -> Dataset:
    return pictures.photographs(
        name="ade20k",
        task=Segmentation(),
        about=about,
        pool=pool,
        val=val,
        classes=labels.names,
        palette=labels.palette,
    )
