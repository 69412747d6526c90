"""Checks whether a name can be a study's work folder, before anything is read or trained."""

import os
import stat
from pathlib import Path

from salx.infra import storage
from salx.infra.errors import InputError
from salx.infra.paths import LONGEST, fault

WITHIN = ("selections", "deployments", "report")


def check(workdir: Path) -> None:
    """Check that no file, or what cannot be looked into, stands where the study's folders go.

    Args:
      workdir: the work folder; one in a bucket is not looked at.

    Raises:
      InputError: naming what stands there.
    """
    if storage.in_bucket(workdir):
        return
    if fault(f"{workdir.absolute()}/deployments/{'x' * LONGEST}/checkpoint"):
        raise InputError(f"--workdir={workdir}: is too long: no run's folder could be below it")
    for path in (workdir, *(workdir / name for name in WITHIN)):
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            is_folder = not os.path.lexists(path)  # none yet, or a link that leads nowhere
        except OSError as error:
            raise InputError(f"--workdir={workdir}: cannot be read: {error.strerror}") from error
        if not is_folder:
            raise InputError(f"--workdir={workdir}: cannot be written: {path} is no folder")
        if path.exists() and not os.access(path, os.R_OK | os.X_OK):
            raise InputError(f"--workdir={workdir}: {path} cannot be read: no permission")


def check_writable(workdir: Path) -> None:
    """Check that the work folder can be written into, before the data is read.

    Args:
      workdir: the work folder; one in a bucket is not looked at.

    Raises:
      InputError: naming the folder that must not be written.
    """
    if storage.in_bucket(workdir):
        return
    above = next(path for path in (workdir, *workdir.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"--workdir={workdir}: cannot be written: no permission in {above}")
