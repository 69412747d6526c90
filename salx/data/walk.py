"""Walks through folders: which files they hold, and which are left out on the way."""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from salx.data.image_files import Sizes
from salx.infra import progress
from salx.infra.errors import InputError
from salx.infra.paths import printable

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

# What no terminal, no line of text and no JSON can hold: control characters, and bytes that are
# no UTF-8, which Python reads as halves of a surrogate pair.
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
EVERY = 4096  # files between two looks at the clock


@dataclass
class Walk:
    """Walk through folders as the first three fields say, and count in the others what is left out.

    Attributes:
      endings: the endings of images' names, for callers that have none of their own.
      skip: whether what cannot be followed, listed or named is left out; else it is an error.
      systems: names of folders, in lower case, that are left out with all they hold.
      others: how many files of each other kind were left out, by their endings.
      in_systems: how many files were left out in each folder of those.
      faults: what was left out because it cannot be used, each with the reason.
    """

    endings: Sequence[str] = IMAGES
    skip: bool = False
    systems: Sequence[str] = ("@eadir",)  # of a NAS, which puts thumbnails there
    others: Counter[str] = field(default_factory=Counter)
    in_systems: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, why: str) -> None:
        """Note a fault, because of which a file or folder is left out.

        Args:
          why: the path and the reason.

        Raises:
          InputError: with the reason, unless faults are skipped.
        """
        if not self.skip:
            raise InputError(why)
        if why not in self.faults:  # a folder may be listed again
            self.faults.append(why)

    def entries(self, folder: str | Path) -> list[os.DirEntry]:
        """List what lies in a folder, without what is hidden.

        Args:
          folder: the folder.

        Returns:
          The entries, in no order; none where the folder cannot be listed, which is a fault.

        Raises:
          InputError: for a fault, unless faults are skipped.
        """
        try:
            with os.scandir(folder) as scanned:
                return [entry for entry in scanned if not entry.name.startswith(".")]
        except OSError as error:
            self.fault(f"{printable(str(folder))}: cannot be listed: {error.strerror}")
            return []

    def below(self, folder: Path, endings: Sequence[str]) -> Sizes:
        """List the files of some kinds below a folder.

        Args:
          folder: the folder.
          endings: the endings of the files' names, in any case.

        Returns:
          The files' names below the folder with their sizes in bytes, in the order of the
          names' code points.

        Raises:
          InputError: for a fault, unless faults are skipped.
        """
        sizes: list[tuple[str, int]] = []
        ends = tuple(ending.lower() for ending in endings)
        waiting: list[tuple[str, str, tuple[str, ...]]] = [("", str(folder), ())]
        with progress.Count(f"listing {printable(folder.name)}") as count:
            while waiting:
                prefix, path, above = waiting.pop()
                real = os.path.realpath(path)
                if real in above:
                    self.fault(f"{printable(path)}: a link to a folder that it lies in")
                    continue
                files, folders = self._sorted_out(path, ends, count.add)
                sizes += [(prefix + name, size) for name, size in files]
                for entry in folders:
                    if entry.name.lower() in self.systems:
                        self.in_systems[prefix + entry.name] += _count(entry.path)
                    else:
                        waiting.append((f"{prefix}{entry.name}/", entry.path, (*above, real)))
        if UNFIT.search("".join(name for name, _ in sizes)):
            sizes = [pair for pair in sizes if self._fits(folder, pair[0])]
        sizes.sort()
        return dict(sizes)

    def _sorted_out(
        self, path: str, ends: tuple[str, ...], tell: Callable[[int], None]
    ) -> tuple[list[tuple[str, int]], list[os.DirEntry]]:
        """List the files of a folder that are taken, with their sizes, and the folders in it."""
        files: list[tuple[str, int]] = []
        folders: list[os.DirEntry] = []
        listed = self.entries(path)
        for number, entry in enumerate(listed, 1):
            try:
                if entry.is_file():
                    if entry.name.lower().endswith(ends):
                        files.append((entry.name, entry.stat().st_size))
                    else:
                        self.others[os.path.splitext(entry.name)[1].lower()] += 1
                elif entry.is_dir():
                    folders.append(entry)
                elif entry.is_symlink() or entry.name.lower().endswith(ends):
                    self.fault(lost(entry))
            except OSError as error:  # a link that leads to itself, a file that is gone again
                self.fault(f"{printable(entry.path)}: cannot be read: {error.strerror}")
            if not number % EVERY:
                tell(EVERY)
        tell(len(listed) % EVERY)
        return files, folders

    def _fits(self, folder: Path, name: str) -> bool:
        """Tell whether a file's name below a folder can be a key; if not, that is a fault."""
        unsound = bool(UNFIT.search(name))
        if unsound:
            self.fault(unfit(str(folder / name)))
        return not unsound


def unfit(path: str) -> str:
    """Say why a path cannot be a key.

    Args:
      path: a path that UNFIT matches.

    Returns:
      The path and the reason.
    """
    match = UNFIT.search(path)
    why = "holds a control character" if match and match[0] < "\ud800" else "is not UTF-8"
    return f"{printable(path)}: its name {why}: rename it"


def lost(entry: os.DirEntry) -> str:
    """Say why an entry of a folder is neither a file nor a folder.

    Args:
      entry: the entry, such as a link to nothing.

    Returns:
      The path and the reason.
    """
    path = printable(entry.path)
    if entry.is_symlink():
        return f"{path}: a link to {printable(os.readlink(entry.path))}, which is not there"
    return f"{path}: is no file"


def _count(folder: str) -> int:
    """Count the files below a folder."""
    return sum(len(files) for _, _, files in os.walk(folder))
