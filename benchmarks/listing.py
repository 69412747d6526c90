"""What it costs to list a large pool, over what the system itself takes for it.

    python -m benchmarks.listing [--files=300000] [--folder=FOLDER]

Makes so many hard links of a tiny JPEG in folders of 1,000, below a temporary folder, and times

1. names and sizes: `listing.below` over a bare `os.scandir` that asks for the size of each file;
2. headers, of which come orientations, the common shape and warnings: `headers.read` of each file
   over a bare loop that opens it and reads its first 4 KiB;
3. `salx.images`, which does both and takes the fingerprint.

The names are in the system's cache, as they are after the first of several rounds.
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
import numpy as np

import salx
from salx.data import headers, listing

IN_FOLDER = 1000
LINKS = 50_000  # names of one file; ext4 allows 65,000


def main() -> None:
    """Print each time, in seconds, and its ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        root = Path(folder)
        fill(root, arguments.files)
        paths = [str(root / key) for key in listing.below(root)]
        compare(
            "names and sizes, over os.scandir's own",
            lambda: listing.below(root),
            lambda: dict(scanned(folder)),
            arguments.rounds,
        )
        compare(
            "headers, over opening and reading",
            lambda: [headers.read(path) for path in paths],
            lambda: [first(path) for path in paths],
            arguments.rounds,
        )
        began = time.perf_counter()
        pool = salx.images(root)
        print(f"salx.images: {time.perf_counter() - began:.2f} s for {len(pool):,} images")


def fill(root: Path, count: int) -> None:
    """Make so many names of a few equal files, in folders."""
    content = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    for number in range(count):
        path = root / f"{number // IN_FOLDER:04d}" / f"{number:06d}.jpg"
        if number % IN_FOLDER == 0:
            path.parent.mkdir()
        if number % LINKS == 0:
            path.write_bytes(content)
            one = path
        else:
            os.link(one, path)


def scanned(folder: str) -> Iterator[tuple[str, int]]:
    """List files and their sizes with os.scandir, and no more."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from scanned(entry.path)
            else:
                yield entry.path, entry.stat().st_size


def first(path: str) -> bytes:
    """Open a file and read what `headers.read` reads at first."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, headers.FIRST)
    finally:
        os.close(file)


def compare(what: str, ours: Callable[[], object], bare: Callable[[], object], rounds: int) -> None:
    """Time both in turn, and print the medians and their ratio."""
    times = [(seconds(ours), seconds(bare)) for _ in range(rounds)]
    a, b = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{what}: {a:.2f} s over {b:.2f} s = {a / b:.2f}")


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
