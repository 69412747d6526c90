"""Data sets: what a pool is, and the sets known by name.

A set is one file with a `load(**options) -> Dataset` that registers itself. Other packages bring
theirs through the entry point group `salx.datasets`; `module:function` names any other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from salx.data import transforms
from salx.data.cache import cached
from salx.data.geometry import short_side
from salx.data.options import DatasetOptions, TransformOptions
from salx.data.sources import Resized, Source, Subset, unreadable
from salx.data.transforms import Transforms
from salx.infra import limits, paths, sealed
from salx.infra.errors import ArgumentError, InputError, unknown
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
      skipped: keys of the examples that are not in the pool as they cannot be read.
      validation: where there is none: what was looked for.
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
    skipped: tuple[str, ...] = ()
    validation: str = ""


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
    options.check()
    build = DATASETS.get(options.name, "name")
    _check_own_options(build, options)
    made = build(**options.options, **_common_options(build, options)) if callable(build) else build
    if not isinstance(made, Dataset):
        text = f"{{name}}={options.name} gives no Dataset but {type(made).__name__}"
        raise ArgumentError("name", text)
    dataset = arranged(made, options)
    if not len(dataset.pool):
        raise InputError(f"data set {options.name!r}: the pool is empty")
    return dataset


def _check_own_options(build: Callable[..., Dataset], options: DatasetOptions) -> None:
    """Raise ArgumentError for options that a set has not, needs, or cannot have so."""
    parameters = limits.parameters(build)
    for option in options.options:
        if option not in parameters:
            common = (name for name in options.defaults() if name != "name")
            raise unknown("field of {.}", option, [*parameters, *common], option)
    for option, parameter in parameters.items():
        needed = parameter.default is parameter.empty and parameter.kind in limits.NAMED
        if needed and option not in options.options:
            raise ArgumentError(option, f"{{name}} is required by data set {options.name!r}")
    limits.check_options(build, options.options)


def _common_options(build: Callable[..., Dataset], options: DatasetOptions) -> dict[str, Any]:
    """The common options that a set takes itself: what becomes of files that cannot be listed."""
    return {"on_error": options.on_error} if "on_error" in limits.parameters(build) else {}


def arranged(dataset: Dataset, options: DatasetOptions) -> Dataset:
    """Give the set with its splits resized, cached, and without what is unreadable.

    Raises InputError for a split of which nothing would be left.
    """
    skip, resize, skipped = options.on_error == "skip", options.resize, {}
    every = dataset.pool.keys
    for split in ("pool", "val"):
        source = getattr(dataset, split)
        listed = len(source)
        if resize:
            source = Resized(source, resize, dataset.task)
        name = f"{dataset.name}_{split}"
        if options.cache:
            folder = paths.local(options.cache, "cache")
            identity = {"data": dataset.fingerprint, "part": split, "resize": resize}
            source, skipped[split] = cached(source, folder, name, identity, skip)
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
        keys = tuple(every[index] for index in skipped.get("pool", ()))
        dataset = dataset._replace(fingerprint=marks, skipped=keys)
    if resize and all(dataset.image_shape):
        shape = (*short_side(dataset.image_shape, resize), dataset.image_shape[2])
        dataset = dataset._replace(image_shape=shape)
    return dataset


def _warn(name: str, reasons: Sequence[str], shown: int = 20) -> None:
    """One line with the number of the examples that are left out, and the first of them."""
    more = f"; and {len(reasons) - shown} more" if len(reasons) > shown else ""
    listed = "; ".join(reasons[:shown])
    logging.warning(f"data set {name!r}: {len(reasons)} examples are left out: {listed}{more}")
