"""Data sets: what a pool is, and the sets known by name. A new set is one file with
`load(**options) -> Dataset`."""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import logging

from salx.data import transforms
from salx.data.cache import cached
from salx.data.geometry import short_side
from salx.data.options import DATASET
from salx.data.sources import Part, Resized, Source, unreadable
from salx.data.transforms import Transforms
from salx.infra import sealed
from salx.infra.errors import InputError, unknown
from salx.tasks import Task

SOURCES = ("digits", "scenes", "imagenet", "cityscapes", "ade20k", "camvid", "cifar10", "folder")


class Dataset(NamedTuple):
    """A pool to choose from, a validation split to measure on, and what describes them.

    `mean` and `std` are per channel in units of the pixel range 0..1; `fingerprint` is a
    digest of keys, order and content (of files: their sizes in bytes), so that ids mean the
    same wherever it is equal. `image_shape` is that of all images, (0, 0, C) where their sizes
    differ; with transforms, it is what evaluation gives the model. `palette` holds an RGB
    colour for each class of a segmentation.
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


def fingerprint(keys: Sequence[str], *content: bytes) -> str:
    """`sha256:<hex>` over the keys in order and the content."""
    return sealed.digest(sealed.canonical(list(keys)), *content)


def load(config: Mapping[str, Any], transform: Mapping[str, Any] | None = None) -> Dataset:
    """The data set that `config.dataset` describes, with the transforms of `config.transform`.

    Raises InputError naming the field, RunError naming an example.
    """
    return transformed(raw(config), transform or {})


def transformed(dataset: Dataset, transform: Mapping[str, Any]) -> Dataset:
    """The set with the transforms of `config.transform`. Raises InputError naming the field."""
    built, shape = transforms.build(transform, dataset.task, dataset.mean, dataset.image_shape)
    return dataset._replace(transforms=built, image_shape=shape)


def raw(config: Mapping[str, Any]) -> Dataset:
    """The data set that `config.dataset` describes, {"name": ..., **options}, its images as
    they are.

    Options of all sets: `resize`, the short side in pixels (0: as stored); `cache`, a folder
    for what is decoded and resized ("": none); `on_error`, "skip" to leave out what cannot be
    read. Raises InputError naming the field, RunError naming an example.
    """
    options = dict(config)
    name = options.pop("name", "")
    if name not in SOURCES:
        raise unknown("data set config.dataset.name", name, SOURCES)
    common = {field: options.pop(field, value) for field, value in DATASET.items()}
    module = importlib.import_module(f"salx.data.{name}")
    for option in options:
        known = inspect.signature(module.load).parameters
        if option not in known:
            raise unknown("field of config.dataset", option, [*known, *DATASET])
    check_common(**common)
    dataset = arranged(module.load(**options), **common)
    if not len(dataset.pool):
        raise InputError(f"data set {name!r}: the pool is empty")
    return dataset


def check_common(resize: int, cache: str, on_error: str) -> None:
    """Raises InputError naming the field."""
    if not isinstance(resize, int) or resize < 0:
        raise InputError(f"config.dataset.resize={resize!r} must be the short side in pixels, or 0")
    if not isinstance(cache, str):
        raise InputError(f"config.dataset.cache={cache!r} must be a folder")
    if "://" in cache:
        raise InputError(f"config.dataset.cache={cache!r} must be a folder of this machine")
    if on_error not in ("raise", "skip"):
        raise unknown("config.dataset.on_error", on_error, ("raise", "skip"))


def arranged(dataset: Dataset, resize: int, cache: str, on_error: str) -> Dataset:
    """The set with its pool and validation split resized, cached, without what is unreadable."""
    skip, skipped = on_error == "skip", {}
    for part in ("pool", "val"):
        source = getattr(dataset, part)
        if resize:
            source = Resized(source, resize, dataset.task)
        name = f"{dataset.name}_{part}"
        if cache:
            identity = {"data": dataset.fingerprint, "part": part, "resize": resize}
            source, skipped[part] = cached(source, Path(cache), name, identity, skip)
        elif skip:
            skipped[part] = unreadable(source, name)
            if skipped[part]:
                source = Part(source, [i for i in range(len(source)) if i not in skipped[part]])
        dataset = dataset._replace(**{part: source})
    if any(skipped.values()):
        warn(dataset.name, [why for part in skipped.values() for why in part.values()])
        left = sealed.canonical([dataset.fingerprint, {p: list(ids) for p, ids in skipped.items()}])
        dataset = dataset._replace(fingerprint=sealed.digest(left))
    if resize and all(dataset.image_shape):
        shape = (*short_side(dataset.image_shape, resize), dataset.image_shape[2])
        dataset = dataset._replace(image_shape=shape)
    return dataset


def warn(name: str, reasons: Sequence[str], shown: int = 20) -> None:
    """One line with the number of the examples that are left out, and the first of them."""
    more = f"; and {len(reasons) - shown} more" if len(reasons) > shown else ""
    listed = "; ".join(reasons[:shown])
    logging.warning(f"data set {name!r}: {len(reasons)} examples are left out: {listed}{more}")
