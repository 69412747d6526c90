"""A long scoring pass on disk, part by part, so that a stopped process can go on within it."""

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from salx.infra import multihost, sealed, storage

EVERY = 60.0  # seconds; a shorter pass leaves nothing


class Parts:
    """The rows of a pass in files `part_<first row>.npz` under a folder, of one identity.

    Parts of other passes may lie beside them. Every process reads; the first alone writes.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self.folder = folder
        self.identity = sealed.digest(sealed.canonical(identity))
        self.saved, self.when = 0, time.monotonic()

    def load(self) -> np.ndarray | None:
        """What an earlier process left of the first rows, float32[n, ...], or None.

        Raises InputError, naming the file, for a damaged one.
        """
        found = []
        for _ in range(multihost.run_on_main(self.count)):
            path = self.path(self.saved)
            with sealed.reading(path), np.load(io.BytesIO(path.read_bytes())) as part:
                sealed.check_seal(str(part["seal"]), part["rows"].tobytes(), self.identity.encode())
                found.append(part["rows"])
            self.saved += len(found[-1])
        return np.concatenate(found) if found else None

    def save(self, rows: np.ndarray) -> None:
        """Writes what is new of `rows`, all that is done, if the last time is long ago."""
        if multihost.is_main() and time.monotonic() - self.when > EVERY and len(rows) > self.saved:
            new, packed = rows[self.saved :], io.BytesIO()
            np.savez(packed, rows=new, seal=sealed.digest(new.tobytes(), self.identity.encode()))
            storage.write_file(self.path(self.saved), packed.getvalue())
            self.saved, self.when = len(rows), time.monotonic()

    def count(self) -> int:
        """How many files there are of this pass."""
        return len(list(self.folder.glob(f"part_{self.identity[7:19]}_*.npz")))

    def path(self, first: int) -> Path:
        return self.folder / f"part_{self.identity[7:19]}_{first:09d}.npz"
