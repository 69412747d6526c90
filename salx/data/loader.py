"""Batches from a source, read by grain: for training, from any step on, and for whole passes.

A batch is a function of its number alone: the order of an epoch comes from (seed, epoch), the
randomness of a transform from (seed, epoch, id). So whoever knows the step goes on with the
same pixels, whatever reads them. Every host reads its share of each global batch.

Grain's readers fetch whole batches, as PyTorch's workers do; its cost for each element would be
several times that of copying a small image.
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

import grain
import jax
import numpy as np
from absl import flags
from jaxtyping import Int64, Shaped

from salx.data import opencv
from salx.data.options import READ_HERE, Readers
from salx.data.sources import Source, example
from salx.infra import seeds
from salx.infra.errors import RunError

AHEAD = 2  # batches that each thread or worker may have ready

Batch = dict[str, Shaped[np.ndarray, "..."]]  # fields by name, each with the axis of examples


def stacked(
    source: Source, indices: Int64[np.ndarray, " n"], changes: Sequence[Callable] = ()
) -> Batch:
    """Read examples, and stack each of their fields along a new first axis.

    Args:
      source: what they are read from.
      indices: the ids of the examples, in the order of the batch.
      changes: (item) -> item for each example; empty leaves them as they are.

    Returns:
      The fields [n, ...] of the items, by name, and "id" int32[n].

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
def _epoch_order(n: int, seed: int, epoch: int) -> Int64[np.ndarray, " n"]:
    """Give the order of n examples in an epoch."""
    return seeds.permutation(n, seeds.derive(seed, "epoch", epoch))


def _generator(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Make the generator that an example's transform draws from in an epoch."""
    return np.random.Generator(np.random.PCG64(seeds.derive(seed, "transform", epoch, index)))


@dataclass(frozen=True)
class Order:
    """Describe which batches a training reads, and in which order its examples come.

    Attributes:
      seed: the seed of the order and of the transforms.
      batch: the examples in a global batch, over all hosts.
      start: the number of the first batch.
      stop: the number after that of the last batch.
    """

    seed: int
    batch: int
    start: int
    stop: int


@dataclass(frozen=True)
class Host:
    """Describe which of the hosts this one is; the worker processes of a host are the same host.

    Attributes:
      index: the number of this host, from 0.
      count: how many hosts there are.
    """

    index: int = field(default_factory=lambda: jax.process_index())
    count: int = field(default_factory=lambda: jax.process_count())

    def positions(self, number: int, batch: int) -> Int64[np.ndarray, " n"]:
        """Find this host's share of a batch in the endless row of examples, epoch after epoch.

        A share is one block, so that the order within the global batch does not depend on the
        number of hosts.

        Args:
          number: the batch's, from 0.
          batch: the examples in a global batch.

        Returns:
          n = batch // count positions: number * batch + index * n + (0, ..., n - 1).
        """
        share = batch // self.count
        return number * batch + self.index * share + np.arange(share)


@dataclass(frozen=True)
class TrainStream:
    """Give this host's share of a training's batches, each epoch in a new order.

    Attributes:
      source: what the examples are read from.
      transform: (item, rng) -> item, as in Transforms.train; None changes nothing.
      ids: the examples of the source that are trained on.
      order: seed, size and range of the batches.
      host: which share of each batch is read.
    """

    source: Source
    transform: Callable | None
    ids: Int64[np.ndarray, " n"]
    order: Order
    host: Host = field(default_factory=Host)

    def __len__(self) -> int:
        return max(0, self.order.stop - self.order.start)

    def __getitem__(self, number: int) -> Batch:
        n, seed = len(self.ids), self.order.seed
        positions = self.host.positions(self.order.start + number, self.order.batch)
        epochs, ranks = (values.tolist() for values in np.divmod(positions, n))
        pairs = list(zip(epochs, ranks, strict=True))
        chosen = self.ids[[_epoch_order(n, seed, epoch)[rank] for epoch, rank in pairs]]
        if not self.transform:
            return stacked(self.source, chosen)
        draws = [
            functools.partial(self.transform, rng=_generator(seed, epoch, index))
            for epoch, index in zip(epochs, chosen.tolist(), strict=True)
        ]
        return stacked(self.source, chosen, draws)


@dataclass(frozen=True)
class EvalStream:
    """Give this host's share of the batches of one pass; the last example fills the last batch.

    Attributes:
      source: what the examples are read from.
      transform: (item) -> item, as in Transforms.evaluate; None changes nothing.
      ids: the examples of the source, in the order of the pass.
      batch: the examples in a global batch, over all hosts.
      first: the number of the batch to begin with.
      host: which share of each batch is read.
    """

    source: Source
    transform: Callable | None
    ids: Int64[np.ndarray, " n"]
    batch: int
    first: int = 0
    host: Host = field(default_factory=Host)

    def __len__(self) -> int:
        return max(0, math.ceil(len(self.ids) / self.batch) - self.first)

    def __getitem__(self, number: int) -> Batch:
        positions = self.host.positions(self.first + number, self.batch)
        chosen = self.ids[np.minimum(positions, len(self.ids) - 1)]
        changes = [self.transform] * len(chosen) if self.transform else ()
        return {**stacked(self.source, chosen, changes), "mask": positions < len(self.ids)}


def _iterate(batches: TrainStream | EvalStream, readers: Readers) -> Generator[Batch, None, None]:
    """Yield batches in order, read ahead of the consumer until it ends or closes the generator."""
    opencv.prepare()
    if readers.workers:
        _parse_no_flags()
    threads = readers.threads
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=AHEAD * threads)
    dataset = grain.MapDataset.source(batches).to_iter_dataset(ahead)
    processes = grain.MultiprocessingOptions(
        num_workers=min(readers.workers, len(batches)), per_worker_buffer_size=AHEAD
    )
    dataset = dataset.mp_prefetch(processes, worker_init_fn=_begin_worker)
    with contextlib.closing(iter(dataset)) as iterator:
        try:
            yield from iterator
        except RuntimeError as error:
            raise RunError(f"reading stopped (out of memory or of /dev/shm?): {error}") from error


def _parse_no_flags() -> None:
    """Mark absl's flags as parsed, with their defaults, where nobody has parsed them.

    Grain passes them on to its workers, and fails where they are not parsed, as in a notebook.
    """
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()


def _begin_worker(index: int, count: int) -> None:
    """Make a worker leave Ctrl-C to its consumer, and end when the consumer ends in any way."""
    opencv.prepare()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    consumer = multiprocessing.parent_process()

    def follow() -> None:
        consumer.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def train_batches(
    stream: TrainStream, readers: Readers = READ_HERE
) -> Generator[Batch, None, None]:
    """Yield the batches of a training in order, read ahead of the consumer.

    Args:
      stream: which batches.
      readers: the threads and processes that read ahead. Without any, the consumer's own thread
        reads, which is the fastest where an example is a mere copy.

    Yields:
      {"image": uint8[n, H, W, C], "label": int32[n] or uint8[n, H, W], "id": int32[n]}, the n
      examples of this host. Closing the generator ends the readers.

    Raises:
      RunError: with the key of an example that cannot be read, and where a worker is lost.
    """
    return _iterate(stream, readers)


def eval_batches(stream: EvalStream, readers: Readers = READ_HERE) -> Generator[Batch, None, None]:
    """Yield every example of a pass once, in batches of equal size, read ahead of the consumer.

    Args:
      stream: which batches.
      readers: the threads and processes that read ahead, as in `train_batches`.

    Yields:
      The fields of `train_batches`, what the transform adds (such as "size" int32[n, 2]), and
      "mask" bool[n], False on the examples that only fill the last batch.

    Raises:
      RunError: with the key of an example that cannot be read, and where a worker is lost.
    """
    return _iterate(stream, readers)
