"""Data sets: what a pool is, and the sets known by name.

A set is one file with a `load(**options) -> Dataset` that registers itself. Other packages bring
theirs through the entry point group `salx.datasets`; `module:function` names any other.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import logging

from salx.data import transforms
from salx.data.cache import cached
from salx.data.geometry import short_side
from salx.data.options import DatasetOptions, TransformOptions
from salx.data.sources import Resized, Source, Subset, unreadable
from salx.data.transforms import Transforms
from salx.infra import sealed
from salx.infra.errors import InputError, unknown
from salx.infra.registry import Registry
from salx.tasks import Task

SETS = ("digits", "scenes", "imagenet", "cityscapes", "ade20k", "camvid", "cifar10", "folder")


class Dataset(NamedTuple):
    """A pool to choose from, a validation split to measure on, and what describes them.

    Attributes:
      name: what files of it are called.
      task: what its labels mean.
      about: a sentence for its readers.
      classes: their names; empty for a pool without labels.
      pool: the examples to choose from.
      val: the examples to measure on.
      image_shape: (H, W, C) of all images, (0, 0, C) where their sizes differ; with transforms,
        what evaluation gives the model.
      mean: of each channel, in units of the pixel range 0..1.
      std: of each channel, likewise.
      fingerprint: a digest of keys, order and content (of files: their sizes in bytes), so that
        ids mean the same wherever it is equal.
      palette: an RGB colour for each class of a segmentation.
      transforms: what becomes of an item before the model.
    """

    name: str
    task: Task
    about: str
    classes: tuple[str, ...]
    pool: Source
    val: Source
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    palette: tuple[tuple[int, int, int], ...] = ()
    transforms: Transforms = Transforms()


DATASETS: Registry[Callable[..., Dataset]] = Registry(
    "data set", "salx.datasets", (f"salx.data.sets.{name}" for name in SETS)
)
register = DATASETS.register  # decorates a set's `load`


def fingerprint(keys: Sequence[str], *content: bytes) -> str:
    """Give `sha256:<hex>` over the keys in order and the content."""
    return sealed.digest(sealed.canonical(list(keys)), *content)


def load(
    options: DatasetOptions | Mapping[str, Any],
    transform: TransformOptions | Mapping[str, Any] | None = None,
) -> Dataset:
    """Load a data set with its transforms.

    Args:
      options: which set, or a flat mapping {"name": ..., options}, as `config.dataset` is.
      transform: what becomes of its items, likewise; None leaves them alone.

    Raises:
      InputError: naming the option.
      RunError: naming an example that cannot be read.
    """
    return transformed(raw(options), transform or {})


def transformed(dataset: Dataset, transform: TransformOptions | Mapping[str, Any]) -> Dataset:
    """Give the set with transforms. Raises ArgumentError naming the option."""
    options = TransformOptions.of(transform)
    built, shape = transforms.build(options, dataset.task, dataset.mean, dataset.image_shape)
    return dataset._replace(transforms=built, image_shape=shape)


def raw(options: DatasetOptions | Mapping[str, Any]) -> Dataset:
    """Load a data set, its images as they are but for what the options of all sets say.

    Raises:
      InputError: naming the option, or for an empty pool.
      RunError: naming an example that cannot be read.
    """
    options = DatasetOptions.of(options)
    build = DATASETS.get(options.name, "name")
    parameters = inspect.signature(build).parameters
    for option in options.options:
        if option not in parameters:
            common = (name for name in options.defaults() if name != "name")
            raise unknown("field of {.}", option, [*parameters, *common], option)
    options.check()
    dataset = arranged(build(**options.options), options)
    if not len(dataset.pool):
        raise InputError(f"data set {options.name!r}: the pool is empty")
    return dataset


def arranged(dataset: Dataset, options: DatasetOptions) -> Dataset:
    """Give the set with its splits resized, cached, and without what is unreadable.

    Raises InputError for a split of which nothing would be left.
    """
    skip, resize, skipped = options.on_error == "skip", options.resize, {}
    for split in ("pool", "val"):
        source = getattr(dataset, split)
        listed = len(source)
        if resize:
            source = Resized(source, resize, dataset.task)
        name = f"{dataset.name}_{split}"
        if options.cache:
            identity = {"data": dataset.fingerprint, "part": split, "resize": resize}
            source, skipped[split] = cached(source, Path(options.cache), name, identity, skip)
        elif skip:
            skipped[split] = unreadable(source, name)
            if skipped[split]:
                left = [index for index in range(len(source)) if index not in skipped[split]]
                source = Subset(source, left)
        if listed and not len(source):
            why = next(iter(skipped[split].values()))
            raise InputError(
                f"data set {dataset.name!r}: none of the {listed} examples of {split} can be "
                f"read: {why}"
            )
        dataset = dataset._replace(**{split: source})
    if any(skipped.values()):
        _warn(dataset.name, [why for reasons in skipped.values() for why in reasons.values()])
        without = {split: list(reasons) for split, reasons in skipped.items()}
        marks = sealed.digest(sealed.canonical([dataset.fingerprint, without]))
        dataset = dataset._replace(fingerprint=marks)
    if resize and all(dataset.image_shape):
        shape = (*short_side(dataset.image_shape, resize), dataset.image_shape[2])
        dataset = dataset._replace(image_shape=shape)
    return dataset


def _warn(name: str, reasons: Sequence[str], shown: int = 20) -> None:
    """One line with the number of the examples that are left out, and the first of them."""
    more = f"; and {len(reasons) - shown} more" if len(reasons) > shown else ""
    listed = "; ".join(reasons[:shown])
    logging.warning(f"data set {name!r}: {len(reasons)} examples are left out: {listed}{more}")
