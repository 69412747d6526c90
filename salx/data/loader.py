"""Batches from a source, through grain: training streams that can begin anywhere, whole passes.

A batch is a function of its number alone: the order of an epoch comes from (seed, epoch), the
randomness of a transform from (seed, epoch, id). So whoever knows the step goes on with the
same pixels, whatever reads them. Every host reads its own part of each global batch.
"""

import contextlib
import functools
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import grain
import jax
import numpy as np
from absl import flags

from salx.data import opencv
from salx.data.options import READ_HERE, Readers
from salx.data.sources import Source, example
from salx.infra import seeds
from salx.infra.errors import RunError

AHEAD = 2  # batches that each thread or worker may have ready


def stacked(
    source: Source, indices: np.ndarray, changes: Sequence[Callable] = ()
) -> dict[str, np.ndarray]:
    """Read examples, and stack each of their fields along a new first axis.

    Args:
      source: what they are read from.
      indices: int64[n], their ids.
      changes: one for each example, or none.

    Returns:
      The fields, and "id" int32[n].

    Raises:
      RunError: with the key of an example that cannot be read.
    """
    if hasattr(source, "take") and not changes:
        fields = source.take(indices)
    else:
        changes = changes or [None] * len(indices)
        examples = [example(source, *each) for each in zip(indices.tolist(), changes, strict=True)]
        fields = {name: np.stack([each[name] for each in examples]) for name in examples[0]}
    return {**fields, "id": indices.astype(np.int32)}


@functools.lru_cache(maxsize=4)
def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """Give the order of n examples in an epoch, int64[n]."""
    return seeds.permutation(n, seeds.derive(seed, "epoch", epoch))


def generator(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Make what an example's transform draws from in an epoch."""
    return np.random.Generator(np.random.PCG64(seeds.derive(seed, "transform", epoch, index)))


@dataclass(frozen=True)
class Order:
    """The order of a training's batches: seeded, of `batch` examples each, from batch `start` to
    `stop` - 1."""

    seed: int
    batch: int
    start: int
    stop: int


class Batches(Protocol):
    """Global batches by number, of which every host reads its share.

    Grain's readers fetch whole batches, as PyTorch's workers do; its cost for each element
    would be several times that of copying a small image.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> dict[str, np.ndarray]: ...


@dataclass(frozen=True)
class Host:
    """This host's number, and how many there are; workers of a host have those of the host."""

    index: int = field(default_factory=lambda: jax.process_index())
    count: int = field(default_factory=lambda: jax.process_count())

    def positions(self, number: int, batch: int) -> np.ndarray:
        """Where this host's examples of a batch stand in the endless row of examples: in blocks,
        so that the order within the global batch does not depend on the number of hosts."""
        share = batch // self.count
        return number * batch + self.index * share + np.arange(share)


@dataclass(frozen=True)
class TrainStream:
    """Epoch after epoch of the examples `ids`, each epoch in an order of its own.

    Attributes:
      source: the examples.
      transform: (item, rng) -> item, as in Transforms.train, or None.
      ids: int64[n], the examples of the source.
      order: seed, size and range of the batches.
      host: which share of each batch is read.
    """

    source: Source
    transform: Callable | None
    ids: np.ndarray
    order: Order
    host: Host = field(default_factory=Host)

    def __len__(self) -> int:
        return max(0, self.order.stop - self.order.start)

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        n, seed = len(self.ids), self.order.seed
        positions = self.host.positions(self.order.start + number, self.order.batch)
        epochs, ranks = (values.tolist() for values in np.divmod(positions, n))
        pairs = list(zip(epochs, ranks, strict=True))
        chosen = self.ids[[epoch_order(n, seed, epoch)[rank] for epoch, rank in pairs]]
        if not self.transform:
            return stacked(self.source, chosen)
        draws = [
            functools.partial(self.transform, rng=generator(seed, epoch, index))
            for epoch, index in zip(epochs, chosen.tolist(), strict=True)
        ]
        return stacked(self.source, chosen, draws)


@dataclass(frozen=True)
class EvalStream:
    """The examples `ids` once, then the last one again, masked, to fill the last batch.

    Attributes:
      source: the examples.
      transform: (item) -> item, as in Transforms.evaluate, or None.
      ids: int64[n], the examples of the source.
      batch: examples in a batch.
      first: the number of the batch to begin with.
      host: which share of each batch is read.
    """

    source: Source
    transform: Callable | None
    ids: np.ndarray
    batch: int
    first: int = 0
    host: Host = field(default_factory=Host)

    def __len__(self) -> int:
        return max(0, math.ceil(len(self.ids) / self.batch) - self.first)

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        positions = self.host.positions(self.first + number, self.batch)
        chosen = self.ids[np.minimum(positions, len(self.ids) - 1)]
        changes = [self.transform] * len(chosen) if self.transform else ()
        return {**stacked(self.source, chosen, changes), "mask": positions < len(self.ids)}


def iterate(batches: Batches, readers: Readers) -> Generator[dict[str, np.ndarray], None, None]:
    """Yield batches in order, read ahead of the consumer until it is at the end or closes the
    generator. Without readers the consumer's own process and thread reads, which is the fastest
    where an example is a mere copy.

    Raises:
      RunError: with the key of an example that cannot be read, and where a worker is lost.
    """
    opencv.prepare()
    if readers.workers:
        _parse_no_flags()
    threads = readers.threads
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=AHEAD * threads)
    dataset = grain.MapDataset.source(batches).to_iter_dataset(ahead)
    processes = grain.MultiprocessingOptions(
        num_workers=min(readers.workers, len(batches)), per_worker_buffer_size=AHEAD
    )
    dataset = dataset.mp_prefetch(processes, worker_init_fn=begin_worker)
    with contextlib.closing(iter(dataset)) as iterator:
        try:
            yield from iterator
        except RuntimeError as error:
            raise RunError(f"reading stopped (out of memory or of /dev/shm?): {error}") from error


def _parse_no_flags() -> None:
    """Grain passes absl's flags on to its workers, and fails where nobody has parsed any, as in
    a notebook; there they all have their defaults."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()


def begin_worker(index: int, count: int) -> None:
    """Leave Ctrl-C to the consumer, and end with it however that one ends."""
    opencv.prepare()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    consumer = multiprocessing.parent_process()

    def follow() -> None:
        consumer.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def train_batches(
    stream: TrainStream, readers: Readers = READ_HERE
) -> Generator[dict[str, np.ndarray], None, None]:
    """Yield the batches {"image", "label", "id"} of a training, in order."""
    return iterate(stream, readers)


def eval_batches(
    stream: EvalStream, readers: Readers = READ_HERE
) -> Generator[dict[str, np.ndarray], None, None]:
    """Yield every example once, in equal batches; "mask" is False on what fills the last one."""
    return iterate(stream, readers)
