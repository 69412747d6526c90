"""A long scoring pass on disk, piece by piece, so that a stopped process can go on within it."""

import contextlib
import io
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax
import numpy as np

from salx.infra import multihost, sealed, storage
from salx.policies.scored import Rows

EVERY = 60.0  # seconds; a shorter pass leaves nothing
FILES = re.compile(r"part_[0-9a-f]{12}_[0-9]{9}\.npz")
ROWS = "rows"  # the name of rows that are one array; fields of others stand behind it


def flatten(rows: Rows) -> dict[str, np.ndarray]:
    """Name the arrays of rows: {"rows": array}, or {"rows/error": ..., "rows/features": ...}."""
    if isinstance(rows, Mapping):
        flat = flax.traverse_util.flatten_dict(dict(rows), sep="/")
        return {f"{ROWS}/{name}": array for name, array in flat.items()}
    return {ROWS: rows}


def unflatten(arrays: Mapping[str, np.ndarray]) -> Rows:
    """Undo `flatten`."""
    if ROWS in arrays:
        return arrays[ROWS]
    flat = {name.removeprefix(f"{ROWS}/"): array for name, array in arrays.items()}
    return flax.traverse_util.unflatten_dict(flat, sep="/")


def _seal(arrays: Mapping[str, np.ndarray], identity: str) -> str:
    names = sorted(arrays)
    more = [] if names == [ROWS] else ["/".join(names).encode()]
    return sealed.digest(*(arrays[name].tobytes() for name in names), identity.encode(), *more)


class SavedPass:
    """The rows of a pass in files `part_<first row>.npz` under a folder, of one identity.

    Files of other passes may lie there too. Every process reads; the main one alone writes.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self.folder = folder
        self.identity = sealed.digest(sealed.canonical(identity))
        self.saved, self.when = 0, time.monotonic()

    def load(self) -> dict[str, np.ndarray]:
        """Read what an earlier process left of the first rows: the arrays by name, or {}.

        Raises InputError, naming the file, for a damaged one.
        """
        pieces: list[dict[str, np.ndarray]] = []
        for _ in range(multihost.run_on_main(self._count)):
            path = self._path(self.saved)
            with sealed.reading(path), np.load(io.BytesIO(path.read_bytes())) as file:
                arrays = {name: file[name] for name in file.files if name != "seal"}
                if str(file["seal"]) != _seal(arrays, self.identity):
                    raise ValueError("seal")
                pieces.append(arrays)
            self.saved += len(next(iter(arrays.values())))
        names = pieces[0] if pieces else ()
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in names}

    def save(self, arrays: Mapping[str, np.ndarray], done: int) -> None:
        """Write what is new of the first `done` rows, if the last time is long ago."""
        late = time.monotonic() - self.when > EVERY
        if multihost.is_main() and late and done > self.saved:
            new = {name: array[self.saved : done] for name, array in arrays.items()}
            packed = io.BytesIO()
            np.savez(packed, **new, seal=_seal(new, self.identity))
            storage.write_file(self._path(self.saved), packed.getvalue())
            self.saved, self.when = done, time.monotonic()

    def _count(self) -> int:
        return len(list(self.folder.glob(f"part_{self.identity[7:19]}_*.npz")))

    def _path(self, first: int) -> Path:
        return self.folder / f"part_{self.identity[7:19]}_{first:09d}.npz"


def clear(folder: Path, *more: str) -> None:
    """Remove the files of passes, and those of the names `more`, from a folder, and the folder
    itself unless something else lies in it."""
    if folder.is_symlink() or not folder.is_dir():
        return
    storage.sweep(folder)
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if FILES.fullmatch(path.name) or path.name in more:
                path.unlink()
        folder.rmdir()
