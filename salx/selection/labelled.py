"""What is labelled already: images of the pool that files, folders and names say."""

import contextlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from salx.data import listing
from salx.data.keys import ABSENT, Keys
from salx.infra import paths
from salx.infra.errors import ArgumentError, InputError, cut, unknown
from salx.infra.paths import printable
from salx.selection import readings
from salx.selection.pool import Pool
from salx.selection.readings import Reading

Source = str | Path | Sequence[str]  # a file, a folder, an image; or the keys of a selection

STOP, OK = MISSING = ("stop", "ok")  # where hardly an image that a source names is in the pool
ENOUGH = 0.5  # the share of a source's names that has to be in the pool
SAMPLE = 256  # names by which the column is found
FILES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Labelled:
    """Hold the images of a pool that are labelled already.

    Attributes:
      ids: their numbers in the pool, ascending.
      absent: what was named and is not in the pool.
      notes: what else a user should know of how the sources were read.
    """

    ids: Int64[np.ndarray, " n"]
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Tell how many there are, how many names are not in the pool, and the notes.

        Returns:
          One line.
        """
        line = f"labelled: {len(self.ids)}"
        if self.absent:
            line += f", {len(self.absent)} not in the pool, such as {_quoted(self.absent[0])}"
        return "; ".join((line, *self.notes))


@dataclass(frozen=True)
class _Named:
    """What one source names: the ids of its names, or ABSENT, and a note on how it was read."""

    ids: Mapping[str, int]
    note: str = ""


def find(sources: Iterable[Source], pool: Pool, missing: str = STOP) -> Labelled:
    """Find the images of a pool that are labelled.

    Args:
      sources: files in any form of salx.selection.readings, folders of labelled images, images
        of the pool by their keys or paths, and lists of keys.
      pool: the images that can be chosen from.
      missing: "stop" refuses a source of whose names less than half are in the pool; "ok" does
        not.

    Returns:
      The images, each once, and what was named and is not in the pool.

    Raises:
      ArgumentError: naming the source, and its line where there is one.
    """
    if missing not in MISSING:
        raise unknown("{name}", missing, MISSING, "labelled_missing")
    keys = Keys(pool.keys, pool.root)
    named: list[_Named] = []
    single: list[str] = []
    for source in sources:
        if not isinstance(source, str | Path):
            named.append(_checked("", keys, _matched(list(source), keys, None), missing))
        elif _is_image(source, keys):
            single.append(str(source))
        else:
            named.append(_of_path(paths.local(source, "labelled"), keys, missing))
    if single:
        named.append(_checked("", keys, _matched(single, keys, None), missing))
    pairs = [pair for each in named for pair in each.ids.items()]
    return Labelled(
        np.array(sorted({id_ for _, id_ in pairs} - {ABSENT}), np.int64),
        tuple(dict.fromkeys(name for name, id_ in pairs if id_ == ABSENT)),
        tuple(each.note for each in named if each.note),
    )


def _is_image(source: Source, keys: Keys) -> bool:
    """Whether a name is one of an image of the pool, or is no file and no name of one either."""
    name = str(source)
    if not name or keys.find(name) != ABSENT:
        return bool(name)
    path = paths.local(name, "labelled")
    return not os.path.exists(path) and path.suffix.lower() not in FILES


def _of_path(path: Path, keys: Keys, missing: str) -> _Named:
    """What a file or folder names."""
    try:
        named = _of_folder(path, keys) if os.path.isdir(path) else _of_file(path, keys)
    except InputError as error:
        raise ArgumentError("labelled", f"{{name}}={error}") from error
    return _checked(str(path), keys, named, missing)


def _of_folder(folder: Path, keys: Keys) -> _Named:
    """The images in a folder: of the pool itself; copies with their folders, or by their names
    alone, if their sizes are those of the pool's files."""
    sizes = listing.below(folder)
    if not sizes:
        raise InputError(f"{folder}: holds no images; records and tables are given one by one")
    ids = {}
    for name, size in sizes.items():
        id_ = keys.find(str((folder / name).absolute()))
        if id_ == ABSENT:
            id_ = keys.find(name)
        ids[name] = id_ if id_ != ABSENT else _copied(name, size, keys)
    return _Named(ids)


def _copied(name: str, size: int, keys: Keys) -> int:
    """The image that a file is a copy of, perhaps one of `--copy`, which puts a rank before."""
    if keys.root is None:
        return ABSENT
    file = name.rpartition("/")[2]
    for each in (file, re.sub(r"^\d{6}_", "", file)):
        id_ = keys.by_file_name(each)
        with contextlib.suppress(OSError):
            if id_ != ABSENT and (keys.root / keys.keys[id_]).stat().st_size == size:
                return id_
    return ABSENT


def _of_file(path: Path, keys: Keys) -> _Named:
    """What a file names, by the reading that knows the most images of the pool."""
    folder = path.absolute().parent
    reading = _best(readings.read(path), keys, folder)
    if reading is None:
        return _Named({}, f"{path}: names no images")
    for number, name in reading.names.items():
        fault = paths.fault(name.strip())
        if fault and not fault.startswith("is too long"):  # an address may well be
            what = "has no name of an image" if fault == "is empty" else f"{_quoted(name)} {fault}"
            column = f" in the column {reading.column!r}" if reading.column else ""
            raise InputError(f"{path}: {reading.unit} {number}{column}: {what}")
    named = _matched(list(dict.fromkeys(_names(reading, keys))), keys, folder)
    notes = [named.note] if named.note else []
    if reading.unlabelled:
        notes.append(f"{reading.unlabelled} of its rows have no label, and do not count")
    return _Named(named.ids, f"{path}: {', '.join(notes)}" if notes else "")


def _names(reading: Reading, keys: Keys) -> list[str]:
    """A reading's names; its header is one where it is an image's."""
    header = reading.header if keys.find(reading.header) != ABSENT else ""
    return [*([header] if header else []), *reading.names.values()]


def _best(sorts: Sequence[Sequence[Reading]], keys: Keys, folder: Path) -> Reading | None:
    """The reading with the most names that the pool has. In each table, columns that are called
    as those of images are come first, and the others only where none of these has any."""
    best, most = None, (0, 0, 0)
    for table in sorts:
        named = False
        for reading in table:
            if named and not reading.likely:
                break
            names = _names(reading, keys)
            sample = names[:: max(1, len(names) // SAMPLE)]
            absent = keys.match(sample, folder).ids.count(ABSENT)
            count = len(sample) - absent
            named = named or count > 0
            worth = (count, 0 if count else -reading.rank, -absent)
            if best is None or worth > most:
                best, most = reading, worth
    return best


def _matched(names: Sequence[str], keys: Keys, folder: Path | None) -> _Named:
    """The ids of names, with a note where a start was cut off them."""
    match = keys.match(names, folder)
    note = f"names are what follows {_quoted(match.start + '/')}" if match.start else ""
    return _Named(dict(zip(names, match.ids, strict=True)), note)


def _checked(source: str, keys: Keys, named: _Named, missing: str) -> _Named:
    """Refuse a source of whose names hardly any is in the pool."""
    absent = [name for name, id_ in named.ids.items() if id_ == ABSENT]
    count = len(named.ids) - len(absent)
    if not absent or missing == OK or (count and count >= ENOUGH * len(named.ids)):
        return named
    shown = f"{{name}}={printable(source)}" if source else "{name}"
    many = f"only {count} of the {len(named.ids)} names in it are"
    raise ArgumentError(
        "labelled",
        f"{shown}: {many if count else 'none of the names in it is'} in the pool: it has "
        f"{_quoted(absent[0])}, the pool has {_quoted(keys.keys[0])}; "
        "{.labelled_missing}=ok goes on without them",
    )


def _quoted(name: str) -> str:
    """A name for a message, cut where it is long."""
    return f"'{printable(cut(name))}'"
