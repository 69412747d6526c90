"""CIFAR-10: 32x32 images of 10 classes, 50,000 + 10,000 in the original.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from salx.data import hints, image_files, listing, tfds
from salx.data.datasets import Dataset, register
from salx.data.sets import classes
from salx.infra.errors import InputError
from salx.tasks.classification import Classification

HOW = (
    "CIFAR-10 is at https://www.cs.toronto.edu/~kriz/cifar.html; as image files it lies as "
    "train/<class>/* and val/<class>/* or test/<class>/*, with classes named airplane to truck"
)
SHAPE = (32, 32, 3)


@register("cifar10")
def load(dir: str = "", source: str = "folder") -> Dataset:
    """Load CIFAR-10; val/ is validation, or test/ where there is no val/.

    Args:
      dir: the folder of the set.
      source: "folder" for {train,val,test}/<class>/* in it, "tfds" for the set as
        tensorflow_datasets prepared it.

    Returns:
      A classification: train is the pool.

    Raises:
      ArgumentError: naming an option that is wrong, as where the set is not in `dir`.
      InputError: where val/ and test/ are there or neither is, and for a class without images.
    """
    return tfds.choose(source, _from_folders, _from_tfds)(dir)


def _from_folders(dir: str) -> Dataset:
    """Load the set from class folders of image files."""
    root = listing.locate("cifar10", dir, ("train",), HOW).parent
    held_out = [split for split in ("val", "test") if (root / split).is_dir()]
    if len(held_out) != 1:
        both = "both val and test" if held_out else "neither val nor test"
        raise InputError(f"{root}: holds {both}, and one of them is validation. {HOW}")
    for split in ("train", *held_out):
        hints.refuse_packed(root / split, classes.CIFAR10)
        if absent := set(classes.CIFAR10) - set(listing.class_names(root / split)):
            raise InputError(f"{root / split / min(absent)}: the class folder is missing")
    pool, val = (
        listing.class_folders(root, split, classes.CIFAR10, SHAPE) for split in ("train", *held_out)
    )
    return _described(pool, val)


def _from_tfds(dir: str) -> Dataset:
    """Load the set as tensorflow_datasets prepared it."""
    held = "train", "test"
    pool, val = tfds.splits("cifar10", dir, held, tfds.classified, tfds.CLASSIFIED, HOW)
    tfds.check_classes(pool, "label", classes.CIFAR10)
    return _described(pool, val)


def _described(pool, val) -> Dataset:
    """Make the data set of its two splits."""
    return image_files.photographs(
        name="cifar10",
        task=Classification(),
        about=f"CIFAR-10, {len(pool)} training and {len(val)} held-out images of 32x32",
        pool=pool,
        val=val,
        classes=classes.CIFAR10,
        image_shape=SHAPE,
    )
