"""Locks on folders: one process at a time works in a folder, until it ends in whatever way.

A folder of a file system is held by a lock of the system on its file .lock. A bucket has no
locks. There the object .lock says who holds the folder; its holder writes it anew every RENEW
seconds, each time on the condition that it is still as written the last time (TensorStore's
`if_equal`, the generation of the object), so two can never both succeed. A process that finds it
and sees it unchanged for LEASE seconds, by its own clock, takes it over on the same condition; a
holder that was away for so long ends when it finds that out.
"""

import contextlib
import errno
import fcntl
import os
import socket
import stat
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from salx.infra import storage
from salx.infra.errors import InputError, Unreachable, first_line

RENEW, LEASE, POLL = 10.0, 60.0, 2.0  # seconds
LOCK = ".lock"
PROCESS = b"process "  # what the content of a system's lock begins with
# How TensorStore's errors begin where asking again would not help.
REFUSALS = ("NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT")
ANSWER = 40.0  # seconds that this process waits to be let in
# What a bucket refuses for the moment is asked again; TensorStore by itself would for an hour.
RETRIES = {"max_retries": 5, "initial_delay": "1s", "max_delay": "8s"}


Tell = Callable[[int, str], Any]


def _alone(code: int, line: str) -> None:
    """Print why this process ends, where there are no others to be told."""
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def held(folder: Path, wait: bool = False, tell: Tell = _alone) -> Iterator[None]:
    """Hold a folder for this process, within a `with` statement.

    Args:
      folder: made, if it is not there.
      wait: whether to wait for another process that holds it.
      tell: called with an exit code and a line before this process ends because it lost the
        folder in the middle of its work.

    Yields:
      Nothing.

    Raises:
      InputError: if the folder cannot be written, or another process holds it.
      Unreachable: for a bucket that does not answer.
    """
    with _leased(folder, wait, tell) if storage.in_bucket(folder) else _locked(folder, wait):
        yield


def me() -> str:
    """Name this process, for those that wait for it.

    Returns:
      `process <number> on <host>`.
    """
    return f"process {os.getpid()} on {socket.gethostname()}"


@contextlib.contextmanager
def _locked(folder: Path, wait: bool) -> Iterator[None]:
    """Hold a folder of a file system. What killed processes left unfinished in it is removed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage.unwritable(folder, error) from error
    with opened(folder / LOCK) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            holder = lock.read().decode(errors="replace").strip()
            raise InputError(f"{folder}: held by {holder}") from error
        except OSError as error:
            raise InputError(f"{folder}: cannot be locked: {error.strerror}") from error
        if not PROCESS.startswith(lock.read(len(PROCESS))):
            why = "is no lock of SALX; rename it, or name another folder"
            raise InputError(f"{folder / LOCK}: {why}")
        with storage.writing(folder / LOCK):
            os.ftruncate(lock.fileno(), 0)
            os.pwrite(lock.fileno(), me().encode(), 0)
        storage.sweep(folder)
        yield


def opened(path: Path) -> BinaryIO:
    """Open the file of a system's lock, which is made if it is not there.

    Args:
      path: the file.

    Returns:
      The file, open for reading and writing, without a buffer.

    Raises:
      InputError: naming it, where it is a link or no file, or cannot be written.
    """
    # O_NONBLOCK: a pipe of this name is refused, not waited for.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        lock = open(os.open(path, flags, 0o666), "r+b", buffering=0)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(f"{path}: is a link, which no lock is written through") from error
        raise storage.unwritable(path, error) from error
    if not stat.S_ISREG(os.fstat(lock.fileno()).st_mode):
        lock.close()
        raise InputError(f"{path}: is no file, which a lock has to be")
    return lock


@contextlib.contextmanager
def _leased(folder: Path, wait: bool, tell: Tell) -> Iterator[None]:
    """Hold a folder in a bucket."""
    import tensorstore

    bucket, _, inside = str(folder).removeprefix(storage.BUCKET).partition("/")
    spec = {
        "driver": "gcs",
        "bucket": bucket,
        "path": f"{inside}/",
        "context": {"gcs_request_retries": RETRIES},
    }
    with answering(folder):
        store = tensorstore.KvStore.open(spec).result()
    lease = Lease(store, f"{folder}/{LOCK}", tell)
    try:
        with answering(folder):
            lease.take(wait)
        lease.keeper.start()
        yield
    finally:
        lease.leave()


@contextlib.contextmanager
def answering(folder: Path) -> Iterator[None]:
    """Turn what TensorStore raises for a bucket into an error of ours.

    Args:
      folder: the folder in the bucket, for the message.

    Yields:
      Nothing.

    Raises:
      InputError: where the bucket refuses.
      Unreachable: where it does not answer.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        kind = InputError if str(error).startswith(REFUSALS) else Unreachable
        raise kind(f"{folder}: cannot be written: {first_line(error)}") from error


class Lease:
    """Hold the object .lock of a TensorStore key-value store for this process.

    The lease remembers the object's generation, which every write changes.

    Args:
      store: the key-value store.
      name: of the object, for messages.
      tell: called with an exit code and a line before this process ends.

    Attributes:
      store, name, tell: as in Args.
      text: what the object holds: the name of this process with a random word.
      generation: of the object as this process wrote it last; empty before that.
      over: set once the folder is let go.
      keeper: the thread that renews the lease.
    """

    def __init__(self, store: Any, name: str, tell: Tell = _alone):
        self.store, self.name, self.tell = store, name, tell
        self.text = f"{me()} ({uuid.uuid4().hex[:8]})"
        self.generation = b""  # none yet
        self.over = threading.Event()
        self.keeper = threading.Thread(target=self.keep, daemon=True)

    def take(self, wait: bool) -> None:
        """Wait until this process is the holder.

        Args:
          wait: whether to wait for a holder that shows that it is alive.

        Raises:
          InputError: without `wait`, when there is such a holder.
        """
        latest, since = None, 0.0  # the generation that was read last, and since when it stands
        while True:
            lock = self.store.read(LOCK).result(ANSWER)
            generation, now = lock.stamp.generation, time.monotonic()
            stale = generation == latest and now - since > LEASE
            if (lock.state == "missing" or stale) and self.write(generation):
                return
            if lock.state != "missing" and generation != latest:
                holder = lock.value.decode(errors="replace")
                if latest is not None and not wait:
                    raise InputError(f"{self.name.removesuffix('/' + LOCK)}: held by {holder}")
                if latest is None:
                    why = f"waiting for {holder}, or a minute of its silence"
                    print(f"salx: {self.name}: {why}", file=sys.stderr)
                latest, since = generation, now
            time.sleep(POLL)

    def write(self, generation: bytes) -> bool:
        """Write .lock if it is still of a generation.

        Args:
          generation: the one that it must have; empty for an object that is not there.

        Returns:
          Whether it was written.
        """
        written = self.store.write(LOCK, self.text.encode(), if_equal=generation).result(RENEW)
        if written.generation:
            self.generation = written.generation
        return bool(written.generation)

    def keep(self) -> None:
        """Renew the lease until it is over.

        Ends this process when another has taken the folder, or may soon: with exit code 75 where
        the bucket does not answer.
        """
        renewed = time.monotonic()
        while not self.over.wait(RENEW):
            began = time.monotonic()
            try:
                if not self.write(self.generation) and not self.is_mine():
                    self.end(1, "another process has taken it over; this process ends")
                renewed = began
            except Exception as error:
                if began - renewed >= LEASE / 2:
                    why = f"cannot be written: {first_line(error)}"
                    self.end(os.EX_TEMPFAIL, f"{why}; the same command goes on from here")

    def end(self, code: int, why: str) -> None:
        """End this process, which may be in the middle of anything.

        Args:
          code: the exit code.
          why: the reason, for the user.
        """
        self.tell(code, f"salx: {self.name}: {why}")
        os._exit(code)

    def is_mine(self) -> bool:
        """Tell whether a refused write had come through before, with its answer lost.

        Returns:
          Whether .lock holds what this process writes.
        """
        lock = self.store.read(LOCK).result(RENEW)
        self.generation = lock.stamp.generation
        return lock.value == self.text.encode()

    def leave(self) -> None:
        """Let go of the folder. An error only means that the next process has to wait."""
        self.over.set()
        try:
            if self.keeper.is_alive():
                self.keeper.join()
        finally:  # Ctrl-C may come here, too
            if self.generation:
                with contextlib.suppress(Exception):
                    self.store.write(LOCK, None, if_equal=self.generation).result(RENEW)
