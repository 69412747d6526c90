"""What a source is, and what can be done to any of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import grain
import numpy as np

from salx.data import geometry, opencv
from salx.infra import progress
from salx.infra.errors import InputError, RunError
from salx.tasks import Task

MOST_PIXELS = 2**28  # of a scaled image


class Source(Protocol):
    """Random access in a fixed order; an example's id is its index. Can be pickled.

    An item is {"image": uint8[H, W, C], "label": int32[] or, in segmentation, uint8[H, W] with
    255 where a pixel is not counted}; an unlabelled one has no "label". `keys[id]` is its file
    name or record key. A source that lies in memory may have `take(indices)` beside, which
    gives many items at once, stacked.
    """

    keys: Sequence[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


def example(source: Source, index: int, change: Callable | None = None) -> Any:
    """Read source[index], through `change`; an error becomes a RunError with the example's key.

    An InputError passes: it is of the whole set, and no reason to leave out an example.
    """
    try:
        item = source[index]
        return change(item) if change else item
    except InputError:
        raise
    except Exception as error:
        raise RunError(f"example {source.keys[index]!r} cannot be read: {error}") from error


class Resized:
    """A source's items with a short side of `side` pixels."""

    def __init__(self, source: Source, side: int, task: Task):
        self.source, self.side, self.task, self.keys = source, side, task, source.keys

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self.source[index]
        shape = geometry.short_side(item["image"].shape, self.side)
        if shape[0] * shape[1] > MOST_PIXELS:
            size = "{1:,} x {0:,}".format(*shape)
            raise ValueError(f"with a short side of {self.side} it would have {size} pixels")
        return geometry.resized(self.task, item, *shape)


class Subset:
    """Those of a source's items that `indices` name."""

    def __init__(self, source: Source, indices: Sequence[int]):
        self.source, self.indices = source, indices
        self.keys = [source.keys[index] for index in indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.source[self.indices[index]]


def spread(size: int, most: int) -> np.ndarray:
    """Return at most `most` of `size` indices, evenly spread and ascending."""
    return np.unique(np.linspace(0, size - 1, min(most, size)).round().astype(int))


class Attempts:
    """Each item through `change`, and why it could not be read: (result, "") or (None, why)."""

    def __init__(self, source: Source, change: Callable | None, skip: bool):
        self.source, self.change, self.skip = source, change, skip

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[Any, str]:
        try:
            return example(self.source, index, self.change), ""
        except RunError as error:
            if not self.skip:
                raise
            return None, str(error)


def attempts(source: Source, change: Callable, skip: bool, what: str) -> Iterator[tuple]:
    """Try all items in order, read by as many threads as there are cores, with progress shown as
    `what`.

    Raises:
      RunError: for one that cannot be read, unless they are to be skipped.
    """
    opencv.prepare()
    threads = os.cpu_count() or 1
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=4 * threads)
    tries = grain.MapDataset.source(Attempts(source, change, skip)).to_iter_dataset(ahead)
    return progress.counted(what, tries, len(source))


def unreadable(source: Source, what: str) -> dict[int, str]:
    """Give the ids of the items that cannot be read, and why. Reads them all."""
    tries = attempts(source, lambda _: True, True, f"reading {what}")
    return {index: why for index, (_, why) in enumerate(tries) if why}
