"""Batches from a source, through grain: training streams that resume, and whole passes.

Shuffling is a function of (seed, epoch), so that a batch depends on its position alone and an
iterator's state is one number. Every process reads its own stride of each global batch.
"""

import functools
import math
from collections.abc import Iterator

import grain
import jax
import numpy as np

from salx import seeds
from salx.data import Source
from salx.errors import RunError


def example(source: Source, index: int) -> dict:
    """source[index] with its id; an error keeps the example's key."""
    try:
        return {**source[index], "id": np.int32(index)}
    except Exception as error:
        raise RunError(f"example {source.keys[index]!r} cannot be read: {error}") from error


@functools.lru_cache(maxsize=4)
def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order of n examples in an epoch, int64[n]."""
    return seeds.permutation(n, seeds.derive(seed, "epoch", epoch))


class Stream:
    """Epoch after epoch of the examples `ids`, `length` in all, each epoch in its own order."""

    def __init__(self, source: Source, ids: np.ndarray, seed: int, length: int):
        self.source, self.ids, self.seed, self.length = source, ids, seed, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> dict:
        epoch, place = divmod(position, len(self.ids))
        return example(self.source, self.ids[epoch_order(len(self.ids), self.seed, epoch)[place]])


class Pass:
    """The examples `ids` once, then the last one again, masked, to fill the last batch."""

    def __init__(self, source: Source, ids: np.ndarray, batch: int):
        self.source, self.ids = source, ids
        self.length = math.ceil(len(ids) / batch) * batch

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> dict:
        index = self.ids[min(position, len(self.ids) - 1)]
        return {**example(self.source, index), "mask": np.bool_(position < len(self.ids))}


def batches(view: Stream | Pass, batch: int, threads: int = 0) -> grain.DatasetIterator:
    """This process's part of each global batch, as dicts of stacked numpy arrays.

    `threads` readers work ahead of the consumer; 0 reads in the consumer's own thread, which
    is the fastest where an example is a mere copy.
    """
    processes = jax.process_count()
    mine = grain.MapDataset.source(view)[jax.process_index() :: processes]
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=4 * threads)
    return iter(mine.to_iter_dataset(ahead).batch(batch // processes, drop_remainder=True))


def training(
    source: Source, ids: np.ndarray, seed: int, batch: int, steps: int, threads: int = 0
) -> grain.DatasetIterator:
    """`steps` batches of {"image", "label", "id"}; its state can be saved and set."""
    return batches(Stream(source, ids, seed, steps * batch), batch, threads)


def whole(source: Source, ids: np.ndarray, batch: int, threads: int = 0) -> Iterator[dict]:
    """Every example of `ids` once, in equal batches; "mask" is False on what fills the last."""
    return batches(Pass(source, ids, batch), batch, threads) if len(ids) else iter(())
