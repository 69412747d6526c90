"""CIFAR-10: 32x32 images of 10 classes, 50,000 + 10,000 in the original.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from salx.data import classes, folders, pictures, prepared
from salx.data.datasets import Dataset
from salx.infra.errors import InputError
from salx.tasks.classification import Classification

HOW = (
    "CIFAR-10 is at https://www.cs.toronto.edu/~kriz/cifar.html; as image files it lies as "
    "train/<class>/* and val/<class>/* or test/<class>/*, with classes named airplane to truck"
)
SHAPE = (32, 32, 3)


def load(dir: str = "", source: str = "folder") -> Dataset:
    """The set from folders of image files, or as tensorflow_datasets prepared it ("tfds").

    Validation is val/, or test/ where there is no val/. Raises InputError where both are, or a
    class has no images.
    """
    return prepared.choose(source, from_folders, from_tfds)(dir)


def from_folders(dir: str) -> Dataset:
    root = folders.locate("cifar10", dir, ("train",), HOW).parent
    held_out = [part for part in ("val", "test") if (root / part).is_dir()]
    if len(held_out) != 1:
        found = "both val and test" if held_out else "neither val nor test"
        raise InputError(f"{root}: holds {found}, and one of them is validation. {HOW}")
    for part in ("train", *held_out):
        if absent := set(classes.CIFAR10) - set(folders.class_names(root / part)):
            raise InputError(f"{root / part / min(absent)}: the class folder is missing")
    pool, val = (
        folders.class_folders(root, part, classes.CIFAR10, SHAPE) for part in ("train", *held_out)
    )
    return described(pool, val)


def from_tfds(dir: str) -> Dataset:
    pool, val = prepared.splits("cifar10", dir, ("train", "test"), prepared.classified, HOW)
    prepared.check_classes(pool, "label", classes.CIFAR10)
    return described(pool, val)


def described(pool, val) -> Dataset:
    return pictures.photographs(
        name="cifar10",
        task=Classification(),
        about=f"CIFAR-10, {len(pool)} training and {len(val)} held-out images of 32x32",
        pool=pool,
        val=val,
        classes=classes.CIFAR10,
        image_shape=SHAPE,
    )
