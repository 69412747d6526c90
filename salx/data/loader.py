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
    """source[index]; an error keeps the example's key."""
    try:
        return source[index]
    except Exception as error:
        raise RunError(f"example {source.keys[index]!r} cannot be read: {error}") from error


def stacked(source: Source, indices: np.ndarray) -> dict[str, np.ndarray]:
    """The examples at `indices`, each field stacked along a new first axis, and their ids."""
    if hasattr(source, "take"):
        fields = source.take(indices)
    else:
        examples = [example(source, index) for index in indices.tolist()]
        fields = {name: np.array([each[name] for each in examples]) for name in examples[0]}
    return {**fields, "id": indices.astype(np.int32)}


@functools.lru_cache(maxsize=4)
def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order of n examples in an epoch, int64[n]."""
    return seeds.permutation(n, seeds.derive(seed, "epoch", epoch))


class Batches:
    """Global batches by number, of which every process reads its own stride.

    Grain's readers fetch whole batches, as PyTorch's workers do; its cost for each element
    would be several times that of copying a small image.
    """

    def __init__(self, source: Source, ids: np.ndarray, batch: int, count: int):
        self.source, self.ids, self.batch, self.count = source, ids, batch, count
        self.process, self.processes = jax.process_index(), jax.process_count()

    def __len__(self) -> int:
        return self.count

    def positions(self, number: int) -> np.ndarray:
        """Where this process's examples stand in the endless row of examples."""
        return np.arange(self.process, self.batch, self.processes) + number * self.batch


class Stream(Batches):
    """Epoch after epoch of the examples `ids`, each epoch in an order of its own."""

    def __init__(self, source: Source, ids: np.ndarray, seed: int, batch: int, count: int):
        super().__init__(source, ids, batch, count)
        self.seed = seed

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        n = len(self.ids)
        epochs, places = np.divmod(self.positions(number), n)
        chosen = [
            epoch_order(n, self.seed, int(epoch))[place]
            for epoch, place in zip(epochs, places, strict=True)
        ]
        return stacked(self.source, self.ids[chosen])


class Pass(Batches):
    """The examples `ids` once, then the last one again, masked, to fill the last batch."""

    def __init__(self, source: Source, ids: np.ndarray, batch: int):
        super().__init__(source, ids, batch, math.ceil(len(ids) / batch))

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        positions = self.positions(number)
        chosen = self.ids[np.minimum(positions, len(self.ids) - 1)]
        return {**stacked(self.source, chosen), "mask": positions < len(self.ids)}


def iterate(batches: Batches, threads: int, start: int = 0) -> grain.DatasetIterator:
    """Batches in order, its state one number; `threads` readers work ahead of the consumer.

    0 reads in the consumer's own thread, which is the fastest where an example is a mere copy.
    """
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads)
    return iter(grain.MapDataset.source(batches)[start:].to_iter_dataset(ahead))


def training(
    source: Source, ids: np.ndarray, seed: int, batch: int, steps: int, threads: int = 0
) -> grain.DatasetIterator:
    """`steps` batches of {"image", "label", "id"}; its state can be saved and set."""
    return iterate(Stream(source, ids, seed, batch, steps), threads)


def whole(
    source: Source, ids: np.ndarray, batch: int, threads: int = 0, start: int = 0
) -> Iterator[dict]:
    """Every example of `ids` once, in equal batches; "mask" is False on what fills the last."""
    return iterate(Pass(source, ids, batch), threads, start) if len(ids) else iter(())
