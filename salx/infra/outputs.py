"""Checks of what is written for a user: never over an input, within a pool, or through a link; and
over an existing file only where the user says so.
"""

import functools
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from salx.infra import paths, storage
from salx.infra.errors import ArgumentError


@dataclass(frozen=True)
class Input:
    """Name a file or folder that is read.

    Attributes:
      path: the file or folder.
      argument: the name of the argument that names it, as in "pool".
      files: where the folder is no input as a whole, names of files below it that are.
    """

    path: Path
    argument: str
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Guard:
    """Protect what outputs must spare, and write where nothing speaks against it.

    Attributes:
      inputs: what is read: no file of these is written, and nothing in their folders.
      overwrite: whether an output that is there already is replaced.
    """

    inputs: tuple[Input, ...] = ()
    overwrite: bool = False

    def joined(self, other: "Guard") -> "Guard":
        """Make a guard that spares what this one and another spare.

        Args:
          other: the other guard, whose `overwrite` decides.

        Returns:
          The new guard.
        """
        return Guard((*self.inputs, *other.inputs), other.overwrite)

    def check(self, argument: str, path: Path, folder: bool = False) -> Path:
        """Check an output before it is written, whatever `overwrite` says.

        Args:
          argument: the argument that names it.
          path: the output.
          folder: whether it is a folder.

        Returns:
          The path without links and "..", where it will lie.

        Raises:
          ArgumentError: for a link, an input, what lies in one, and where nothing can be written.
        """
        try:
            real = _real_path(path)
            why = _unusable(real, folder) or self._spared(real)
        except OSError as error:
            why = f"cannot be written: {error.strerror}"
        if why:
            raise refused(argument, path, why)
        return real

    def check_below(self, argument: str, folder: Path, path: Path) -> None:
        """Check a file below a folder: as `check` does, and that no folder between them is a link.

        Args:
          argument: the argument that names the folder.
          folder: the folder.
          path: the file, which lies below it.

        Raises:
          ArgumentError: as `check` does.
        """
        for above in path.relative_to(folder).parents[:-1]:
            if (folder / above).is_symlink():
                self.check(argument, folder / above)  # which refuses it
        self.check(argument, path)

    def free(self, argument: str, path: Path) -> Path:
        """Check a file as `check` does, and without `overwrite` that there is none yet.

        Args:
          argument: the argument that names it.
          path: the file.

        Returns:
          The path as `check` gives it.

        Raises:
          ArgumentError: as `check` does, and for a file that is there already.
        """
        real = self.check(argument, path)
        if not self.overwrite and os.path.lexists(real):
            raise self.taken(argument, path)
        return real

    def fits(self, argument: str, path: Path, content: bytes) -> Path:
        """Check a file as `write` does, without writing it.

        Args:
          argument: the argument that names it.
          path: the file.
          content: what is to be written.

        Returns:
          The path as `check` gives it.

        Raises:
          ArgumentError: as `check` does, and for a file that holds something else and stays.
        """
        real = self.check(argument, path)
        if not self.overwrite and os.path.lexists(real) and not _holds(real, content):
            raise self.taken(argument, path)
        return real

    def write(self, argument: str, path: Path, content: bytes) -> None:
        """Write a file.

        One that is there stays as it is, with no complaint if it holds just that, unless it is to
        be overwritten.

        Args:
          argument: the argument that names it.
          path: the file.
          content: all of it.

        Raises:
          ArgumentError: as `check`, and for a file that holds something else.
          RunError: naming the file, where the disk is full.
        """
        real = self.check(argument, path)
        if not storage.write_file(real, content, self.overwrite) and not _holds(real, content):
            raise self.taken(argument, path)

    def taken(self, argument: str, path: Path, why: str = "is there already") -> ArgumentError:
        """Make the error for a file that is there and stays.

        Args:
          argument: the argument that names it.
          path: the file.
          why: what speaks against writing it.

        Returns:
          The error, which says that `overwrite` replaces the file; to be raised by the caller.
        """
        return refused(argument, path, f"{why}; {{.overwrite}} replaces it")

    def _spared(self, real: Path) -> str:
        """Tell which input a file or folder is, or lies in."""
        for each in self.inputs:
            source = Path(os.path.realpath(each.path))
            if real == source:
                return f"is {{.{each.argument}}} already"
            if not each.files and source in real.parents and source.is_dir():
                return f"lies in {{.{each.argument}}}, where nothing is written"
        if real.is_file():
            status = real.stat()
            argument = self._files.get((status.st_dev, status.st_ino))
            return f"is a file of {{.{argument}}}" if argument else ""
        return ""

    @functools.cached_property
    def _files(self) -> dict[tuple[int, int], str]:
        """Map the files among the inputs, by device and inode, to the arguments that name them."""
        numbers = {}
        for each in self.inputs:
            for path in [each.path / name for name in each.files] or [each.path]:
                if path.is_file():
                    status = path.stat()
                    numbers[status.st_dev, status.st_ino] = each.argument
        return numbers


def refused(argument: str, path: Path, why: str) -> ArgumentError:
    """Make the error for an output that is not written.

    Args:
      argument: the argument that names it.
      path: the output.
      why: the reason, as the end of a sentence.

    Returns:
      The error, to be raised by the caller.
    """
    return ArgumentError(argument, f"{{name}}={paths.printable(str(path))}: {why}")


def _real_path(path: Path) -> Path:
    """Follow the links above a file or folder, but not itself."""
    if path.name in ("", ".."):
        return Path(os.path.realpath(path))
    return Path(os.path.realpath(path.parent)) / path.name


def _unusable(real: Path, folder: bool) -> str:
    """Tell why a file, or a folder, of that name cannot be written."""
    above = next((each for each in real.parents if os.path.lexists(each)), real)
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        return f"{paths.printable(str(above))} is not a folder that can be written"
    if not os.path.lexists(real):
        return ""
    mode = os.lstat(real).st_mode
    if stat.S_ISLNK(mode):
        return "is a link, and nothing is written through a link"
    if folder:
        return "" if stat.S_ISDIR(mode) else "is no folder"
    return "" if stat.S_ISREG(mode) else "is a folder" if stat.S_ISDIR(mode) else "is no file"


def _holds(path: Path, content: bytes) -> bool:
    """Tell whether a file has just this content."""
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
