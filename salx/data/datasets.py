"""Data sets: what one consists of, and the registry of those that have a name.

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
    """Hold a pool to choose from, a validation split to measure on, and what describes them.

    Attributes:
      name: what files of it are called.
      task: what its labels mean.
      about: a phrase for readers that says what the set is, and from where.
      classes: the names of the classes, by index; empty for a pool without labels.
      pool: the examples to choose from.
      val: the examples to measure on; it may be empty.
      image_shape: (H, W, C) of all images, (0, 0, C) where their sizes differ; with transforms,
        what evaluation gives the model.
      mean: the mean of each of the C channels, where pixels range from 0 to 1.
      std: the standard deviation of each of the C channels, likewise.
      fingerprint: a digest of keys, order and content (of files: their sizes in bytes), so that
        ids mean the same wherever it is equal.
      palette: an RGB colour, 0..255 each, for every class of a segmentation; else empty.
      transforms: how an item is changed before the model gets it.
      skipped: keys of the examples that are left out of the pool, as they cannot be read.
      validation: where `val` is empty, what was looked for; else "".
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
    """Make the fingerprint of a data set.

    Args:
      keys: the keys of all examples, in order.
      *content: whatever else decides what the examples are, as bytes.

    Returns:
      `sha256:<64 hexadecimal digits>`.
    """
    return sealed.digest(sealed.canonical(list(keys)), *content)


def load(
    options: DatasetOptions | Mapping[str, Any],
    transform: TransformOptions | Mapping[str, Any] | None = None,
) -> Dataset:
    """Load a data set with its transforms.

    Args:
      options: which set, or a flat mapping {"name": ..., options}, as `config.dataset` is.
      transform: how its items are changed, likewise; None leaves them as they are.

    Returns:
      The set; its images are read when they are asked for, but for what the options say.

    Raises:
      InputError: naming the option or the file.
      RunError: naming an example that cannot be read.
    """
    return transformed(raw(options), transform or {})


def transformed(dataset: Dataset, transform: TransformOptions | Mapping[str, Any]) -> Dataset:
    """Add transforms to a data set.

    Args:
      dataset: the set.
      transform: how its items are changed, as options or as a mapping of them.

    Returns:
      The same set with `transforms`, and with the `image_shape` that evaluation gives a model.

    Raises:
      ArgumentError: naming the option.
    """
    options = TransformOptions.of(transform)
    built, shape = transforms.build(options, dataset.task, dataset.mean, dataset.image_shape)
    return dataset._replace(transforms=built, image_shape=shape)


def raw(options: DatasetOptions | Mapping[str, Any]) -> Dataset:
    """Load a data set without transforms.

    Args:
      options: which set, or a flat mapping {"name": ..., options}, as `config.dataset` is.

    Returns:
      The set, resized, cached and without unreadable examples, as the options say.

    Raises:
      ArgumentError: naming the option.
      InputError: naming a file that is missing or wrong, or for an empty pool.
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
    """Raise ArgumentError for an option that is unknown to a set, missing, or wrong."""
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
    """Select the common options that a set takes itself: `on_error`, for files it cannot list."""
    return {"on_error": options.on_error} if "on_error" in limits.parameters(build) else {}


def arranged(dataset: Dataset, options: DatasetOptions) -> Dataset:
    """Resize and cache the splits of a data set, and leave out what cannot be read.

    Args:
      dataset: the set as its `load` made it.
      options: the options that all sets take: `resize`, `cache`, `on_error`.

    Returns:
      The set with those splits; its fingerprint is another one where examples were left out.

    Raises:
      InputError: for a split of which nothing would be left.
      RunError: naming an example that cannot be read, unless those are left out.
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
    """Warn in a line of how many examples are left out, and of the first of them."""
    more = f"; and {len(reasons) - shown} more" if len(reasons) > shown else ""
    listed = "; ".join(reasons[:shown])
    logging.warning(f"data set {name!r}: {len(reasons)} examples are left out: {listed}{more}")
