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

import grain
import jax
import numpy as np

from salx.data.sources import Source, example
from salx.infra import seeds
from salx.infra.errors import RunError

AHEAD = 2  # batches that each thread or worker may have ready


def stacked(
    source: Source, indices: np.ndarray, changes: Sequence[Callable] = ()
) -> dict[str, np.ndarray]:
    """The examples at `indices`, each through its own of `changes` if there are any; each field
    stacked along a new first axis, and their ids, int32.

    Raises RunError with the key of an example that cannot be read.
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
    """The order of n examples in an epoch, int64[n]."""
    return seeds.permutation(n, seeds.derive(seed, "epoch", epoch))


def generator(seed: int, epoch: int, index: int) -> np.random.Generator:
    """What an example's transform draws from in an epoch."""
    return np.random.Generator(np.random.PCG64(seeds.derive(seed, "transform", epoch, index)))


class Batches:
    """Global batches `start` to `stop` - 1, of which every host reads its own part.

    Grain's readers fetch whole batches, as PyTorch's workers do; its cost for each element
    would be several times that of copying a small image.
    """

    def __init__(
        self,
        source: Source,
        transform: Callable | None,
        ids: np.ndarray,
        batch: int,
        start: int,
        stop: int,
    ):
        self.source, self.transform, self.ids = source, transform, ids
        self.batch, self.start, self.stop = batch, start, stop
        self.process, self.processes = jax.process_index(), jax.process_count()

    def __len__(self) -> int:
        return max(0, self.stop - self.start)

    def positions(self, number: int) -> np.ndarray:
        """Where this host's examples of a batch stand in the endless row of examples: in blocks,
        so that the order within the global batch does not depend on the number of hosts."""
        share = self.batch // self.processes
        first = (self.start + number) * self.batch + self.process * share
        return first + np.arange(share)


class Stream(Batches):
    """Epoch after epoch of the examples `ids`, each epoch in an order of its own."""

    def __init__(self, seed: int, *batches):
        super().__init__(*batches)
        self.seed = seed

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        n = len(self.ids)
        epochs, places = (part.tolist() for part in np.divmod(self.positions(number), n))
        pairs = list(zip(epochs, places, strict=True))
        chosen = self.ids[[epoch_order(n, self.seed, epoch)[place] for epoch, place in pairs]]
        if not self.transform:
            return stacked(self.source, chosen)
        draws = [
            functools.partial(self.transform, rng=generator(self.seed, epoch, index))
            for epoch, index in zip(epochs, chosen.tolist(), strict=True)
        ]
        return stacked(self.source, chosen, draws)


class Pass(Batches):
    """The examples `ids` once, then the last one again, masked, to fill the last batch."""

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        positions = self.positions(number)
        chosen = self.ids[np.minimum(positions, len(self.ids) - 1)]
        changes = [self.transform] * len(chosen) if self.transform else ()
        return {**stacked(self.source, chosen, changes), "mask": positions < len(self.ids)}


def iterate(batches: Batches, threads: int, workers: int) -> Generator[dict, None, None]:
    """Batches in order; `workers` processes with `threads` readers each work ahead of the
    consumer, until it is at the end or closes the generator. 0 reads in the consumer's own
    process and thread, which is the fastest where an example is a mere copy.
    """
    ahead = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=AHEAD * threads)
    dataset = grain.MapDataset.source(batches).to_iter_dataset(ahead)
    processes = grain.MultiprocessingOptions(
        num_workers=min(workers, len(batches)), per_worker_buffer_size=AHEAD
    )
    dataset = dataset.mp_prefetch(processes, worker_init_fn=begin_worker)
    with contextlib.closing(iter(dataset)) as iterator:
        try:
            yield from iterator
        except RuntimeError as error:
            raise RunError(f"reading stopped (out of memory or of /dev/shm?): {error}") from error


def begin_worker(index: int, count: int) -> None:
    """A worker leaves Ctrl-C to the consumer, and ends with it however that one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    consumer = multiprocessing.parent_process()

    def follow() -> None:
        consumer.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def training(
    source: Source,
    transform: Callable | None,
    ids: np.ndarray,
    seed: int,
    batch: int,
    steps: int,
    start: int = 0,
    threads: int = 0,
    workers: int = 0,
) -> Generator[dict, None, None]:
    """Batches `start` to `steps` - 1 of {"image", "label", "id"}, of the endless shuffled row of
    the examples `ids`; `transform(item, rng)` as in Transforms.train."""
    return iterate(Stream(seed, source, transform, ids, batch, start, steps), threads, workers)


def whole(
    source: Source,
    transform: Callable | None,
    ids: np.ndarray,
    batch: int,
    threads: int = 0,
    workers: int = 0,
    start: int = 0,
) -> Generator[dict, None, None]:
    """Every example of `ids` once, in equal batches, from batch `start` on; "mask" is False on
    what fills the last one. `transform(item)` as in Transforms.evaluate."""
    count = math.ceil(len(ids) / batch)
    return iterate(Pass(source, transform, ids, batch, start, count), threads, workers)
