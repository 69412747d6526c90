"""A file with a source's items, decoded and resized once for all cycles, seeds and processes.

One ArrayRecord file of uncompressed records, an item each as safetensors; the last record is
the header. Every pixel is kept as it is: a photograph takes five times the place of its JPEG
(256 x 341 pixels: 0.26 MB) and is read in an eighth of its decoding time. Fast lossless
compression (zstd) would save a sixth of that place and take three times as long to read, PNG
two fifths at more than the time of decoding the JPEG.
"""

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from array_record.python.array_record_data_source import ArrayRecordDataSource
from array_record.python.array_record_module import ArrayRecordWriter
from safetensors import numpy as safetensors

from salx.data.sources import Source, attempts
from salx.infra import locks, sealed, storage
from salx.infra.errors import ArgumentError, InputError, RunError, first_line

FORMAT = "salx.cache/1"  # another one wherever the same source would give other records


class Cached:
    """Give the items of a cache file, a `Source` like the one that was cached.

    Attributes:
      path: the file.
      keys: the examples' keys, by id.
      records: the file's records: an item each, and the header as the last one.
    """

    def __init__(self, path: Path, keys: Sequence[str]):
        self.path, self.keys = path, keys
        self.records = ArrayRecordDataSource(str(path))

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> dict[str, Any]:
        try:
            return safetensors.load(self.records[index])
        except Exception as error:
            raise _damaged(self.path, error) from error


def _damaged(path: Path, why: object) -> InputError:
    """Make the error for a cache file that is not what it should be."""
    return InputError(f"{path}: damaged cache (delete it to build it again): {why}")


def cached(
    source: Source, folder: Path, name: str, identity: dict[str, Any], skip: bool
) -> tuple[Cached, dict[int, str]]:
    """Read a source from its cache file, which is built first where it is not there yet.

    Args:
      source: what is cached.
      folder: where the file lies; it is made where it is missing.
      name: how the file's name begins.
      identity: all that the records depend on, as JSON values; another one is another file.
      skip: whether examples that cannot be read are left out.

    Returns:
      The cached source, and {the id of an example that is not in it: why}.

    Raises:
      ArgumentError: for a folder that cannot be written.
      InputError: for a damaged file.
      RunError: for an example that cannot be read, unless those are skipped.
    """
    header = {"format": FORMAT, "size": len(source), **identity}
    mark = sealed.digest(sealed.canonical(header)).removeprefix("sha256:")[:16]
    path = folder / f"{name}_{mark}.array_record"
    if not path.exists():
        with _building(path):
            if not path.exists():
                _build(source, path, name, header, skip)
    skipped = _check(path, header)
    if skipped and not skip:
        raise RunError(next(iter(skipped.values())))
    return Cached(path, [key for i, key in enumerate(source.keys) if i not in skipped]), skipped


@contextlib.contextmanager
def _building(path: Path) -> Iterator[None]:
    """Let one process at a time build a file; the system lets go when the process ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"{{name}}={path.parent}: cannot be written: {error.strerror}"
        raise ArgumentError("cache", text) from error
    with locks.opened(path.with_name(f".{path.name}.lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        storage.sweep(path.parent)
        yield


def _build(source: Source, path: Path, name: str, header: dict[str, Any], skip: bool) -> None:
    """Write the records under another name, flush and rename them."""
    skipped: dict[int, str] = {}
    with storage.writing(path), storage.unfinished(path) as file:
        tries = attempts(source, _encode, skip, f"caching {name}")
        with _writer(path, file.name) as put, contextlib.closing(tries):
            for index, (record, why) in enumerate(tries):
                if why:
                    skipped[index] = why
                else:
                    put(record)
            put(sealed.canonical({**header, "skipped": skipped}))
        storage.commit(file, path)


@contextlib.contextmanager
def _writer(path: Path, name: str) -> Iterator[Callable[[bytes], None]]:
    """Give a function that writes a record into the unfinished file `name`.

    The writer's errors, which are of many kinds and name nothing, become a RunError that names
    `path`.
    """

    @contextlib.contextmanager
    def named() -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise RunError(f"{path}: cannot be written: {first_line(error)}") from error

    writer = ArrayRecordWriter(name, "group_size:1,uncompressed")

    def put(record: bytes) -> None:
        with named():
            writer.write(record)

    try:
        yield put
    except BaseException:
        with contextlib.suppress(Exception):
            writer.close()
        raise
    with named():
        writer.close()


def _encode(item: dict[str, Any]) -> bytes:
    """Pack an item as safetensors, whose writer wants C order."""
    return safetensors.save({name: np.array(value, order="C") for name, value in item.items()})


def _check(path: Path, expected: dict[str, Any]) -> dict[int, str]:
    """Read {id: why} of the skipped examples; raise InputError for a damaged file."""
    try:
        records = ArrayRecordDataSource(str(path))
        count = len(records) - 1
        header = json.loads(records[count])
        skipped = {int(index): why for index, why in header.pop("skipped").items()}
        if header != expected or count + len(skipped) != expected["size"]:
            raise ValueError("its header is of another data set")
    except Exception as error:  # its reader raises many kinds for a broken file
        raise _damaged(path, error) from error
    return skipped
