"""Where files lie: in a folder, or in a bucket under `gs://BUCKET/FOLDER`, by one kind of path.

A file is whole or absent. In a folder it is written beside its place, flushed and renamed; in a
bucket an object is there once its last byte has come, and cannot be changed, only replaced.

A bucket's paths are those of etils.epath, which have pathlib's methods and gcsfs beneath them;
no function but these needs to know which kind it has.
"""

import errno
import importlib.util
import io
import logging
import mimetypes
import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

from salx.infra.errors import InputError, first_line
from salx.infra.paths import local

BUCKET = "gs://"
CONNECT, ANSWER = 10, 60  # seconds that a request may wait for a connection, and for its answer


def resolve(name: str | Path) -> Path:
    """Give the path of a folder or file.

    Args:
      name: a path of the file system, or `gs://BUCKET/FOLDER`; what is a path already stays it.

    Raises:
      InputError: in one line, for another scheme, a name that no folder can have here or in a
        bucket, where gcsfs is not installed, and for a bucket that cannot be read: it is not
        there, this user may not, or nothing answers.
    """
    if not isinstance(name, str):
        return name
    if "://" not in name:
        return local(name)
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
    """Tell whether an error says that a bucket is out of reach for a while, not that it refuses."""
    if "gcsfs" not in sys.modules:
        return False
    import aiohttp
    from gcsfs.retry import HttpError

    if isinstance(error, HttpError):
        return int(error.code or 500) >= 500
    return isinstance(error, (aiohttp.ClientError, TimeoutError))


def in_bucket(path: Path) -> bool:
    """Tell whether a path lies in a bucket."""
    return not isinstance(path, Path)


def absolute(path: Path) -> Path:
    """Give the path from the root of the file system; a bucket's has no other."""
    return path if in_bucket(path) else path.absolute()


def read_file(path: Path) -> bytes:
    """Read a whole file. Raises OSError, also for what is no file, such as a pipe without end."""
    if not in_bucket(path) and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no file", str(path))
    return path.read_bytes()


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file or nothing."""
    if in_bucket(path):
        import fsspec

        kind = mimetypes.guess_type(path.name)[0]  # so that a browser shows a report
        kind = {"content_type": kind} if kind else {}
        fsspec.filesystem("gcs").pipe_file(str(path), content, **kind)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    with open(unfinished, "wb") as file:
        file.write(content)
    commit(unfinished, path)


def commit(unfinished: Path, path: Path) -> None:
    """Give a folder's file that is written its name, once all of it is on disk.

    Args:
      unfinished: the file, in the folder of `path`; there is none of this name afterwards.
      path: its name from now on; a file that has this name is replaced.
    """
    sync(unfinished)
    os.replace(unfinished, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove(folder: Path) -> None:
    """Remove a folder and what is in it, if it is there."""
    if in_bucket(folder):
        folder.rmtree(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def open_append(path: Path, text: str) -> TextIO:
    """Open a text file that holds `text` for more, which `flush` makes visible."""
    write_file(path, text.encode())
    return Rewritten(path, text) if in_bucket(path) else open(path, "a")


class Rewritten(io.StringIO):
    """A text whose `flush` replaces an object by what has been written so far."""

    def __init__(self, path: Path, text: str):
        super().__init__()
        self.path = path
        self.write(text)

    def flush(self) -> None:
        """Replace the object by the whole text."""
        write_file(self.path, self.getvalue().encode())
