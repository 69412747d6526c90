"""Sources of examples, and what can be done with any of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import grain
import numpy as np
from jaxtyping import Int64

from salx.data import geometry, opencv
from salx.infra import progress
from salx.infra.errors import InputError, RunError
from salx.tasks import Task

MOST_PIXELS = 2**28  # of a scaled image


@runtime_checkable
class Source(Protocol):
    """Give the examples of a split by their ids, in any order and as often as they are wanted.

    An example's id is its index, 0 to len(source) - 1, and never changes. An item is
    {"image": uint8[H, W, C], "label": int32[] of a classification or uint8[H, W] of a
    segmentation, with 255 where a pixel is not counted}; an unlabelled item has no "label".
    A source can be pickled, as processes that read it need their copy.

    A source that lies in memory may also have `take(indices)`, which gives the items of
    int64[n] ids at once: the same fields, stacked along a new first axis.

    Attributes:
      keys: each example's file name or record key, by id.
    """

    keys: Sequence[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


def example(source: Source, index: int, change: Callable | None = None) -> Any:
    """Read an example, and change it.

    Args:
      source: what it is read from.
      index: its id.
      change: (item) -> anything; None leaves the item as it is.

    Returns:
      The item, or what `change` makes of it.

    Raises:
      RunError: with the example's key, for whatever goes wrong with this example.
      InputError: as the source raises it: the whole set is wrong, which is no reason to leave
        out one example.
    """
    try:
        item = source[index]
        return change(item) if change else item
    except InputError:
        raise
    except Exception as error:
        raise RunError(f"example {source.keys[index]!r} cannot be read: {error}") from error


class Resized:
    """Give a source's items, scaled to a short side of `side` pixels, the ratio unchanged."""

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
    """Give those items of a source whose ids are in `indices`; the first of them has id 0."""

    def __init__(self, source: Source, indices: Sequence[int]):
        self.source, self.indices = source, indices
        self.keys = [source.keys[index] for index in indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.source[self.indices[index]]


def spread(size: int, most: int) -> Int64[np.ndarray, " n"]:
    """Choose some of the indices 0 to size - 1, evenly spread.

    Args:
      size: how many indices there are.
      most: how many to choose at most.

    Returns:
      The indices, ascending and distinct: n <= min(size, most).
    """
    return np.unique(np.linspace(0, size - 1, min(most, size)).round().astype(int))


class _Attempts:
    """Give each item as (what `change` makes of it, ""), or (None, why it cannot be read)."""

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
    """Try to read all items in order, by as many threads as there are cores, and show progress.

    Args:
      source: what is read.
      change: (item) -> anything, applied in the reading threads.
      skip: whether an item that cannot be read is passed over; else it is an error.
      what: names the work where progress is shown, as in "caching scenes_pool".

    Returns:
      An iterator over a pair for each id: (what `change` gave, ""), or (None, why).

    Raises:
      RunError: from the iterator, with the key of an item that cannot be read; with `skip`, none.
    """
    opencv.prepare()
    threads = os.cpu_count() or 1
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=4 * threads)
    tries = grain.MapDataset.source(_Attempts(source, change, skip)).to_iter_dataset(ahead)
    return progress.counted(what, tries, len(source))


def unreadable(source: Source, what: str) -> dict[int, str]:
    """Read all items, and find those that cannot be read.

    Args:
      source: what is read.
      what: names the source where progress is shown.

    Returns:
      {the id of an item that cannot be read: why}.
    """
    tries = attempts(source, lambda _: True, True, f"reading {what}")
    return {index: why for index, (_, why) in enumerate(tries) if why}
