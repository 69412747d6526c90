"""A small segmentation set whose readings are counted, for tests in several processes.

python -m tests.data.tiny CACHE LOG DELAY: caches it and prints a digest of what is read.
"""

import os
import sys
import time

import numpy as np

from salx import tasks
from salx.data import datasets
from salx.data.options import DatasetOptions
from salx.infra import sealed


class Pictures:
    """Images of several sizes with masks, drawn from their ids; each reading is a line in `log`."""

    def __init__(self, n, log=None, delay=0.0, broken=(), labels="mask", channels=3):
        self.keys = [f"drive/{i:03d}.png" for i in range(n)]
        self.log, self.delay, self.broken = log, delay, broken
        self.labels, self.channels = labels, channels

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        time.sleep(self.delay)
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{index}\n")
        if index in self.broken:
            raise ValueError("truncated")
        rng = np.random.default_rng(index)
        height, width = rng.integers(20, 40, 2)
        item = {"image": rng.integers(0, 256, (height, width, self.channels), np.uint8)}
        if self.labels == "mask":
            item["label"] = rng.integers(0, 19, (height, width), np.uint8)
        elif self.labels == "class":
            item["label"] = np.int32(index % 3)
        return item


def dataset(pool, val=None, version=b""):
    return datasets.Dataset(
        name="tiny",
        task=tasks.get("classification" if pool.labels == "class" else "segmentation"),
        about="random pixels",
        classes=("a", "b"),
        pool=pool,
        val=val or Pictures(3),
        image_shape=(0, 0, pool.channels),
        mean=(0.5,) * pool.channels,
        std=(0.2,) * pool.channels,
        fingerprint=datasets.fingerprint(pool.keys, version),
    )


def content(source):
    """Everything that a source gives, with keys, types and shapes."""
    return [
        (
            key,
            {
                name: (np.asarray(v).dtype, np.shape(v), np.asarray(v).tobytes())
                for name, v in sorted(source[i].items())
            },
        )
        for i, key in enumerate(source.keys)
    ]


def main(folder, log, delay):
    pool = Pictures(12, log, float(delay))
    made = datasets.arranged(dataset(pool), DatasetOptions("tiny", 16, folder))
    print(sealed.digest(repr(content(made.pool)).encode()), os.getpid())


if __name__ == "__main__":
    main(*sys.argv[1:])
