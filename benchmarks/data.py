"""What the way from a file to a batch costs, as ratios to bare decoding in one process.

    python -m benchmarks.data [imagenet] [camvid]

1. Images/s of each pipeline, without and with a cache, with 0 and 2 worker processes, against
   `cv2.imdecode` of the same files in a loop on one core; also for each core that reads.
2. The share of a training step spent waiting for its batch.
Reads ../shared/data/imagenet_layout and camvid; skips those that are missing.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from configs import quickstart
from salx import tasks
from salx.data import datasets, loader
from salx.data.datasets import Dataset
from salx.data.loader import EvalStream, Order, TrainStream
from salx.data.options import DatasetOptions, Readers
from salx.infra import mesh
from salx.models.model import build
from salx.study import config as configs
from salx.training.loop import Trainer
from salx.training.metrics import empty_metrics
from salx.training.step import Trained

SHARED = Path("../shared/data")
SECONDS = 2.0  # of each timing
BATCH = 16

PIPELINES = {
    "imagenet": {
        "train": "resized_crop",
        "size": (224, 224),
        "flip": True,
        "evaluate": "center_crop",
        "evaluate_resize": 256,
        "evaluate_size": (224, 224),
    },
    "camvid": {
        "train": "scale_crop",
        "size": (360, 480),
        "flip": True,
        "evaluate": "fit",
        "evaluate_size": (360, 480),
    },
}


class Files:
    """Image files, each with a class or the file of its mask, decoded when they are asked for."""

    def __init__(self, paths: list[Path], labels: list):
        self.paths, self.labels = paths, labels
        self.keys = [path.name for path in paths]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int):
        label = self.labels[index]
        mask = isinstance(label, Path)
        return {
            "image": decoded(self.paths[index].read_bytes(), cv2.IMREAD_COLOR_RGB),
            "label": decoded(label.read_bytes(), cv2.IMREAD_GRAYSCALE) if mask else label,
        }


def decoded(content: bytes, how: int) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), how)


def load(name: str) -> Dataset:
    """The set as it lies in SHARED, raw."""
    if name == "imagenet":
        paths = sorted((SHARED / "imagenet_layout").glob("*/*/*.JPEG"))
        names = sorted({path.parent.name for path in paths})
        labels = [np.int32(names.index(path.parent.name)) for path in paths]
        task, classes = tasks.get("classification"), tuple(names)
    else:
        paths = sorted((SHARED / "camvid" / "train" / "images").glob("*.jpg"))[:80]
        labels = [path.parents[1] / "labels" / f"{path.stem}.png" for path in paths]
        task, classes = tasks.get("segmentation"), tuple(str(index) for index in range(11))
    source = Files(paths, labels)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    marks = datasets.fingerprint(source.keys)
    return Dataset(name, task, "", classes, source, source, (0, 0, 3), mean, std, marks)


def per_second(batches: Iterator[dict]) -> float:
    """Images/s after the first batch, which the workers' start delays."""
    next(batches)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        count += len(next(batches)["id"])
    seconds = time.perf_counter() - began
    batches.close()
    return count / seconds


def bare(source: Files) -> float:
    """Images/s of the decoder alone, on one core, files in memory."""
    pairs = zip(source.paths, source.labels, strict=True)
    files = [[file.read_bytes() for file in pair if isinstance(file, Path)] for pair in pairs]
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        for image, *mask in files:
            decoded(image, cv2.IMREAD_COLOR_RGB)
            if mask:
                decoded(mask[0], cv2.IMREAD_GRAYSCALE)
        count += len(files)
    return count / (time.perf_counter() - began)


def passes(dataset: Dataset, workers: int) -> dict[str, Callable[[], Iterator[dict]]]:
    """Training and evaluation, endless."""
    source, (into, out) = dataset.pool, dataset.transforms
    ids, readers = np.arange(len(source)), Readers(workers=workers)
    training = TrainStream(source, into, ids, Order(seed=0, batch=BATCH, start=0, stop=10**6))
    evaluation = EvalStream(source, out, np.resize(ids, 10**5), BATCH)
    return {
        "train": lambda: loader.train_batches(training, readers),
        "evaluate": lambda: loader.eval_batches(evaluation, readers),
    }


def print_pipelines(name: str, variants: dict[str, Dataset]) -> None:
    decoder = bare(load(name).pool)
    title = f"{name}: bare decoder {decoder:,.0f} images/s on one core"
    columns = "pipeline", "cache", "workers", "images/s", "/ bare", "/ bare, per core"
    table = Table(*columns, title=title)
    for cache, dataset in variants.items():
        for workers in (0, 2):
            for kind, start in passes(dataset, workers).items():
                rate = per_second(start())
                ratio = rate / decoder
                cells = f"{rate:,.0f}", f"{ratio:.2f}", f"{ratio / max(1, workers):.2f}"
                table.add_row(kind, cache, str(workers), *cells)
    Console().print(table)


def print_waits(variants: dict[str, Dataset], steps: int = 12) -> None:
    """Median share of a step in which the loop waits for its batch."""
    recipe = configs.resolve(quickstart.get_config()).train
    table = Table(
        "cache", "workers", "step, ms", "waiting", title="mobilenet_v3_small, training step"
    )
    for cache, dataset in variants.items():
        model = build("m", {"name": "mobilenet_v3_small"}, dataset)
        what, trainer = Trained(model, recipe, dataset.task), Trainer()
        step = trainer.step(what)
        for workers in (0, 2):
            state, metrics = trainer.initial(what)(0, steps), empty_metrics()
            batches, shares, seconds = passes(dataset, workers)["train"](), [], []
            for number in range(steps):
                began = time.perf_counter()
                batch = mesh.put(next(batches))
                waited = time.perf_counter() - began
                state, metrics = jax.block_until_ready(step(state, metrics, batch))
                if number > 1:  # the first starts the workers and compiles
                    seconds.append(time.perf_counter() - began)
                    shares.append(waited / seconds[-1])
            batches.close()
            middle = statistics.median
            table.add_row(
                cache, str(workers), f"{1e3 * middle(seconds):.0f}", f"{middle(shares):.1%}"
            )
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(PIPELINES))
    print(f"{platform.machine()}, {os.cpu_count()} cores, OpenCV {cv2.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for name in parser.parse_args().sets:
            raw, transform = load(name), PIPELINES[name]
            if not len(raw.pool):
                print(f"{name}: skipped, no images in {SHARED}")
                continue
            cached = datasets.arranged(raw, DatasetOptions(name, cache=folder))
            variants = {
                label: datasets.transformed(dataset, transform)
                for label, dataset in (("no", raw), ("yes", cached))
            }
            print_pipelines(name, variants)
            if name == "imagenet":
                print_waits(variants)


if __name__ == "__main__":
    main()
