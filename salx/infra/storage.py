"""Where files lie: in a folder, or in a bucket under `gs://BUCKET/FOLDER`, by one kind of path.

A file is whole or absent. In a folder it is written under another name that nobody can foresee,
flushed and then renamed; in a bucket an object is there as soon as its last byte has come, and
cannot be changed, only replaced.

A bucket's paths are those of etils.epath, which have pathlib's methods and gcsfs beneath them;
only the functions of this module need to know which kind a path is of.
"""

import contextlib
import errno
import fcntl
import importlib.util
import io
import logging
import mimetypes
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from salx.infra import paths
from salx.infra.errors import InputError, RunError, first_line

BUCKET = "gs://"
CONNECT, ANSWER = 10, 60  # seconds that a request may wait for a connection, and for its answer
UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}\.tmp", re.DOTALL)  # names of files that are not whole
# What the disk says where the command is sound, and goes on when there is room again.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def resolve(name: str | Path) -> Path:
    """Return the path of a folder or file, and connect to its bucket where it is in one.

    Args:
      name: a path of the file system, `~` expanded, or `gs://BUCKET/FOLDER`; a bucket's path stays
        as it is.

    Returns:
      A pathlib.Path, or an etils.epath.Path of a bucket.

    Raises:
      InputError: in one line, for a name that no file can have, another scheme, a folder's name
        that a bucket's paths cannot have, where gcsfs is not installed, and for a bucket that
        cannot be read: it is not there, this user may not, or nothing answers.
    """
    if not isinstance(name, str):
        local = name if in_bucket(name) else paths.local(name)
        return name if local == name else local
    if "://" not in name:
        return paths.local(name)
    if why := paths.fault(name):
        raise InputError(f"{paths.printable(name)}: {why}")
    bucket, _, folder = name.removeprefix(BUCKET).partition("/")
    if not name.startswith(BUCKET) or not bucket or not folder.strip("/"):
        raise InputError(f"{name}: must be a folder, here or in a bucket: {BUCKET}BUCKET/FOLDER")
    if set(folder) & set("[]?*#") or ".." in folder.split("/"):
        raise InputError(f"{name}: '..' and the signs []?*# mean something else in a bucket")
    if importlib.util.find_spec("gcsfs") is None:
        raise InputError(f"{name}: a bucket needs gcsfs: pip install -r launch/gs.txt")
    _configure_buckets()
    import fsspec
    from etils import epath

    try:
        fsspec.filesystem("gcs").call("GET", "b/{}/o", bucket, maxResults=1, json_out=True)
    except FileNotFoundError as error:
        raise InputError(f"{name}: there is no such bucket") from error
    except Exception as error:  # gcsfs, aiohttp and google.auth each have their own
        raise InputError(f"{name}: cannot be read: {first_line(error)}") from error
    return epath.Path(name.rstrip("/"))


def _configure_buckets() -> None:
    """Set how gcsfs reads buckets: for the whole process, and only once a bucket is named.

    The paths of etils.epath make their own file system, without options, so that fsspec's
    configuration is the one way to give it some. Other processes write too: what a bucket held
    when it was first listed is of no use. By itself gcsfs waits for ever; what times out here
    it tries again, six times in all.
    """
    import aiohttp
    import fsspec

    bounded = aiohttp.ClientTimeout(sock_connect=CONNECT, sock_read=ANSWER)
    fsspec.config.conf["gcs"] = {"use_listings_cache": False, "requests_timeout": bounded}
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # what fails for good is raised as well


def is_transient(error: BaseException) -> bool:
    """Tell whether an error says that a bucket is out of reach for a while, not that it refuses.

    Args:
      error: what a read or a write of a path raised.

    Returns:
      True for errors of the connection, timeouts, and answers with a status of 500 or more.
    """
    if "gcsfs" not in sys.modules:
        return False
    import aiohttp
    from gcsfs.retry import HttpError

    if isinstance(error, HttpError):
        return int(error.code or 500) >= 500
    return isinstance(error, (aiohttp.ClientError, TimeoutError))


def in_bucket(path: Path) -> bool:
    """Tell whether a path lies in a bucket.

    Args:
      path: a path that `resolve` gave, or one below it.

    Returns:
      True for a bucket's path, False for one of the file system.
    """
    return not isinstance(path, Path)


def absolute(path: Path) -> Path:
    """Return a path from the root of the file system.

    Args:
      path: a path of the file system, or of a bucket.

    Returns:
      The absolute path; a bucket's path stays as it is.
    """
    return path if in_bucket(path) else path.absolute()


def read_file(path: Path) -> bytes:
    """Read a whole file.

    Args:
      path: the file.

    Returns:
      Its content.

    Raises:
      OSError: where it cannot be read, and for what is no file, such as a pipe without end.
    """
    if not in_bucket(path) and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no file", str(path))
    return path.read_bytes()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into the one line that names the file which cannot be written.

    A bucket's errors pass: some of them say that it is out of reach for a while.

    Args:
      path: the file that is written within the `with` statement.

    Yields:
      Nothing.

    Raises:
      InputError: where the file may not be written.
      RunError: where the disk is full, or fails.
    """
    try:
        yield
    except OSError as error:
        if in_bucket(path):
            raise
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> InputError | RunError:
    """Make the error for a file that cannot be written.

    Args:
      path: the file.
      error: why not.

    Returns:
      A RunError for a full or failing disk, which stops a run that is sound; else an InputError.
    """
    kind = RunError if error.errno in FULL else InputError
    shown = paths.printable(str(path))
    return kind(f"{shown}: cannot be written: {error.strerror or first_line(error)}")


def write_file(path: Path, content: bytes, replace: bool = True) -> bool:
    """Write a whole file or nothing.

    Args:
      path: its name; folders above it are made.
      content: all of it.
      replace: whether a file that has this name is replaced.

    Returns:
      Whether it was written. Without `replace` it is not written where the name is taken, by a
      file or by a link.

    Raises:
      InputError: naming the file, where it may not be written.
      RunError: likewise, where the disk is full.
    """
    if in_bucket(path):
        import fsspec

        kind = mimetypes.guess_type(path.name)[0]  # so that a browser shows a report
        kind = {"content_type": kind} if kind else {}
        fsspec.filesystem("gcs").pipe_file(str(path), content, **kind)
        return True
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path) as file:
            file.write(content)
            return commit(file, path, replace)


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[BinaryIO]:
    """Open a new file in the folder of `path` under another name, for `commit`.

    Its name cannot be foreseen, so that it is nobody else's file or link. It is locked as long as
    it is written, so that `sweep` can tell it from what a killed process has left.

    Args:
      path: the name that the file is to have in the end.

    Yields:
      The file, open for writing. It is removed at the end unless `commit` has renamed it.
    """
    file = _new(path)
    try:
        with file:
            yield file
    finally:
        with contextlib.suppress(OSError):
            os.unlink(file.name)


def _new(path: Path) -> BinaryIO:
    """Make the file of `unfinished`, and lock it."""
    short = os.fsdecode(os.fsencode(path.name)[:200])  # a name has at most 255 bytes
    while True:
        name = path.with_name(f".{short}.{secrets.token_hex(8)}.tmp")
        file = open(name, "xb")  # which follows no link
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # swept in the moment before it was locked


def commit(file: BinaryIO, path: Path, replace: bool = True) -> bool:
    """Give an unfinished file its name, after all of it has been flushed to the disk.

    Args:
      file: what `unfinished(path)` gave, with its content written.
      path: its name from now on.
      replace: whether a file that has this name is replaced.

    Returns:
      Whether the file has the name now.
    """
    file.flush()
    os.fsync(file.fileno())
    if not replace:
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if os.path.lexists(path):
                return False
            os.replace(file.name, path)
    else:
        os.replace(file.name, path)
    _sync(path.parent)
    return True


def sweep(folder: Path) -> None:
    """Remove what killed processes have left unfinished in a folder of a file system.

    Args:
      folder: the folder; those below it are left as they are.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if UNFINISHED.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _remove_unless_locked(entry.path)


def _remove_unless_locked(name: str) -> None:
    """Remove a file whose writer is no longer alive."""
    with contextlib.suppress(OSError), open(name, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer is alive
        os.unlink(name)


def _sync(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it.

    Args:
      folder: the folder; nothing happens where there is none.
    """
    if in_bucket(folder):
        folder.rmtree(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def open_append(path: Path, text: str) -> TextIO:
    """Open a text file that begins with a text, to append to it.

    Args:
      path: the file; one that is there is replaced.
      text: what it holds to begin with.

    Returns:
      The open file. What is written after it becomes visible with `flush`.
    """
    write_file(path, text.encode())
    return _Rewritten(path, text) if in_bucket(path) else open(path, "a", encoding="utf-8")


class _Rewritten(io.StringIO):
    """Hold a text whose `flush` replaces an object of a bucket by what has been written so far."""

    def __init__(self, path: Path, text: str):
        super().__init__()
        self.path = path
        self.write(text)

    def flush(self) -> None:
        """Replace the object by the whole text."""
        write_file(self.path, self.getvalue().encode())
