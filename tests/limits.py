"""A full disk, as a process meets it: no file may grow beyond a number of bytes."""

import contextlib
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def full_disk(size: int, pid: int = 0) -> Iterator[None]:
    """Let no file of a process grow beyond `size` bytes; `pid` 0 is this process.

    Python ignores SIGXFSZ, so that a write fails with EFBIG, as it does with ENOSPC where a
    disk is full.
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
