"""Data sets: what a pool is, and the sets known by name. A new set is one file with
`load(**options) -> Dataset`."""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from salx import runs
from salx.errors import InputError, unknown

SOURCES = ("digits", "scenes", "imagenet", "cityscapes", "ade20k", "camvid", "cifar10", "folder")


class Source(Protocol):
    """Random access in a fixed order; an example's id is its index.

    An item is {"image": uint8[H, W, C], "label": int32[], or uint8[H, W] with 255 where nothing
    is counted}; an unlabelled pool's has no label. `keys[id]` is its file name below the set's
    folder, or its record's key. A source that lies in memory may have `take(indices)` beside,
    which gives many items at once, stacked.
    """

    keys: Sequence[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


class Dataset(NamedTuple):
    """A pool to choose from, a validation split to measure on, and what describes them.

    `mean` and `std` are per channel in units of the pixel range 0..1; `fingerprint` is a
    digest of keys, order and content (of files: their sizes in bytes), so that ids mean the
    same wherever it is equal. `palette` is RGB for each class of a segmentation.
    """

    name: str
    task: str
    about: str
    classes: tuple[str, ...]
    pool: Source
    val: Source
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    palette: tuple[tuple[int, int, int], ...] = ()


def fingerprint(keys: Sequence[str], *content: bytes) -> str:
    """`sha256:<hex>` over the keys in order and the content."""
    return runs.digest(runs.canonical(list(keys)), *content)


def load(config: Mapping[str, Any]) -> Dataset:
    """The data set that `config.dataset` describes: {"name": ..., **options}.

    Raises InputError for an unknown name or option.
    """
    options = dict(config)
    name = options.pop("name", "")
    if name not in SOURCES:
        raise unknown("data set config.dataset.name", name, SOURCES)
    module = importlib.import_module(f"salx.data.{name}")
    for option in options:
        known = inspect.signature(module.load).parameters
        if option not in known:
            raise unknown("field of config.dataset", option, known)
    dataset = module.load(**options)
    if not len(dataset.pool):
        raise InputError(f"data set {name!r}: the pool is empty")
    return dataset
