"""Tiny real ArrayRecord sets, as tensorflow_datasets prepares them; needs no tensorflow.

`python -m tests.data.prepare DIR`: the records' fields and the names of sets, configs and splits
are those of imagenet2012, cityscapes, scene_parse150 and cifar10 in tensorflow_datasets 4.9.
"""

import io
import sys

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import BuilderConfig, DatasetInfo, GeneratorBasedBuilder, Version

from salx.data.sets import classes
from tests.data.files import encoded, picture

COUNTS = {"train": 5, "held_out": 3}


def mask(number):
    """uint8[6, 8]: values from `number` on."""
    return (np.arange(48).reshape(6, 8) % 7 + number).astype(np.uint8)


def jpeg(number):
    return io.BytesIO(encoded(picture(number), ".jpg"))


def png(array):
    return io.BytesIO(encoded(array))


def imagenet(n):
    return {"image": jpeg(n), "label": classes.IMAGENET[999 - n], "file_name": f"{n}.JPEG"}


def cityscapes(n):
    return {"image_id": str(n), "image_left": png(picture(n)), "segmentation_label": png(mask(n))}


def scene_parse(n):
    instances = np.stack([mask(n), np.full((6, 8), 77, np.uint8), mask(0) * 0], -1)
    return {"image": jpeg(n), "annotation": png(instances)}


def cifar(n):
    return {"id": f"train_{n}", "image": png(picture(n, (32, 32))), "label": n}


def sets():
    """{name: (version, config, held-out split, features, example)}."""
    text, image, label = tfds.features.Text, tfds.features.Image, tfds.features.ClassLabel
    photograph, grey = image(encoding_format="jpeg"), image(shape=(None, None, 1))
    return {
        "imagenet2012": (
            *("5.1.0", "", "validation"),
            {"image": photograph, "label": label(names=classes.IMAGENET), "file_name": text()},
            imagenet,
        ),
        "cityscapes": (
            *("1.0.0", "semantic_segmentation", "validation"),
            {"image_id": text(), "image_left": image(), "segmentation_label": grey},
            cityscapes,
        ),
        "scene_parse150": (
            *("1.0.0", "", "test"),
            {"image": photograph, "annotation": image(encoding_format="png")},
            scene_parse,
        ),
        "cifar10": (
            *("3.0.2", "", "test"),
            {"id": text(), "image": image(), "label": label(names=classes.CIFAR10)},
            cifar,
        ),
    }


def prepare(called, folder, version, config, held_out, features, example):
    """Writes folder/called/[config/]version."""

    class Tiny(GeneratorBasedBuilder):
        name = called
        VERSION = Version(version)
        BUILDER_CONFIGS = [BuilderConfig(name=config, version=version)] if config else []

        def _info(self):
            return DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, manager):
            splits = {"train": COUNTS["train"], held_out: COUNTS["held_out"]}
            return {split: self._generate_examples(count) for split, count in splits.items()}

        def _generate_examples(self, count):
            for number in range(count):
                yield number, example(number)

    Tiny(data_dir=folder, file_format="array_record").download_and_prepare()


if __name__ == "__main__":
    for name, described in sets().items():
        prepare(name, sys.argv[1], *described)
