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
from jaxtyping import Shaped

from salx.infra import multihost, sealed, storage
from salx.policies.scored import Rows
from salx.tasks import AnyArray

EVERY = 60.0  # seconds; a shorter pass leaves nothing
FILES = re.compile(r"part_[0-9a-f]{12}_[0-9]{9}\.npz")
ROWS = "rows"  # the name of rows that are one array; fields of others stand behind it


def flatten(rows: Rows) -> dict[str, Shaped[AnyArray, "..."]]:
    """Name the arrays of rows.

    Args:
      rows: an array [n, ...], or nested dicts of such arrays.

    Returns:
      {"rows": array}, or {"rows/error": ..., "rows/features": ...}.
    """
    if isinstance(rows, Mapping):
        flat = flax.traverse_util.flatten_dict(dict(rows), sep="/")
        return {f"{ROWS}/{name}": array for name, array in flat.items()}
    return {ROWS: rows}


def unflatten(arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> Rows:
    """Undo `flatten`.

    Args:
      arrays: by their names.

    Returns:
      The array, or the nested dicts of arrays.
    """
    if ROWS in arrays:
        return arrays[ROWS]
    flat = {name.removeprefix(f"{ROWS}/"): array for name, array in arrays.items()}
    return flax.traverse_util.unflatten_dict(flat, sep="/")


def _seal(arrays: Mapping[str, np.ndarray], identity: str) -> str:
    """Compute the digest of a file's arrays and of what decides the rows."""
    names = sorted(arrays)
    more = [] if names == [ROWS] else ["/".join(names).encode()]
    return sealed.digest(*(arrays[name].tobytes() for name in names), identity.encode(), *more)


class SavedPass:
    """Keep the rows of one pass in files `part_<identity>_<first row>.npz` of a folder.

    Files of other passes may lie there too. Every process reads; only the main one writes.

    Args:
      folder: where the files are.
      identity: what decides the rows, in JSON's types.

    Attributes:
      folder: as in Args.
      identity: the digest of what decides the rows.
      saved: how many rows are in files.
      when: the time of the last save, or of the beginning, in seconds of `time.monotonic`.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self.folder = folder
        self.identity = sealed.digest(sealed.canonical(identity))
        self.saved, self.when = 0, time.monotonic()

    def load(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Read what an earlier process left of the first rows.

        Returns:
          The arrays by their names of `flatten`; {} where there is nothing.

        Raises:
          InputError: naming the file, for a damaged one.
        """
        pieces: list[dict[str, np.ndarray]] = []
        for _ in range(multihost.run_on_main(self._count)):
            pieces.append(self._read(self._path(self.saved)))
            self.saved += len(next(iter(pieces[-1].values())))
        names = pieces[0] if pieces else ()
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in names}

    def save(self, arrays: Mapping[str, Shaped[np.ndarray, "..."]], done: int) -> None:
        """Write what is new of the first rows, if the last time is more than EVERY seconds ago.

        Args:
          arrays: by their names of `flatten`, with room for all rows.
          done: how many of the first rows are filled in.
        """
        late = time.monotonic() - self.when > EVERY
        if multihost.is_main() and late and done > self.saved:
            new = {name: array[self.saved : done] for name, array in arrays.items()}
            packed = io.BytesIO()
            np.savez(packed, **new, seal=_seal(new, self.identity))
            storage.write_file(self._path(self.saved), packed.getvalue())
            self.saved, self.when = done, time.monotonic()

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        """Read one file. Raises InputError, naming the file, for a damaged one."""
        with sealed.reading(path), np.load(io.BytesIO(path.read_bytes())) as file:
            arrays = {name: file[name] for name in file.files if name != "seal"}
            if str(file["seal"]) != _seal(arrays, self.identity):
                raise ValueError("seal")
            return arrays

    def _count(self) -> int:
        """Count the files of this pass."""
        return len(list(self.folder.glob(f"part_{self.identity[7:19]}_*.npz")))

    def _path(self, first: int) -> Path:
        """Name the file whose first row has this number."""
        return self.folder / f"part_{self.identity[7:19]}_{first:09d}.npz"


def clear(folder: Path, *more: str) -> None:
    """Remove the files of passes from a folder, and the folder unless something else lies in it.

    Args:
      folder: where they are; nothing happens where there is none, or a link.
      *more: names of other files that are removed with them.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    storage.sweep(folder)
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if FILES.fullmatch(path.name) or path.name in more:
                path.unlink()
        folder.rmdir()
