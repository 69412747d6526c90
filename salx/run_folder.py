"""Run folders: their names and their layout.

W/study.json                                    the resolved config
W/selections/<surrogate>.<policy>.s<seed>/      config.json  cycle_CC.jsonl  scores_CC.npz
W/deployments/<model>.on.<selection>.c<CC>/     config.json  result.json  checkpoint/
W/deployments/<model>.on.all.s<seed>/           the same, of the whole pool
W/report/                                       index.html  table.*  figures/

A finished file is never changed again. Whether a run is finished is read from its files, not
from a flag. A run's .lock names the process that works on it (infra/locks.py), and W/.lock the
one that writes study.json or the report.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from salx.infra import limits
from salx.infra.errors import InputError
from salx.infra.limits import Matching, Whole
from salx.infra.sealed import canonical, differences, read_if_there, read_json, write_json

LABEL = Matching(r"[A-Za-z0-9_-]+", "may hold letters, digits, '_' and '-' only")
Label = Annotated[str, LABEL]
SELECTION = re.compile(r"(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)\.s(\d{1,9})")
Count = Annotated[int, Whole(1)]
RESULT = {  # what goes on from a result.json reads of it
    "run": str,
    "steps": Count,
    "seconds.train": float,
    "checkpoint": Mapping[str, Any],
    "checkpoint.step": int,
    "checkpoint.digest": str,
    "environment.devices": Count,
}


def selection_name(surrogate: str | None, policy: str, seed: int) -> str:
    """Name a selection: `res8.entropy.s0`, or `random.s0` of the random column.

    Args:
      surrogate: the label of the surrogate; None for the random column, which has none.
      policy: the label of the policy.
      seed: the seed.

    Returns:
      The name of the selection's folder.
    """
    return ".".join([*([surrogate] if surrogate else []), policy, f"s{seed}"])


def deployment_name(model: str, selection: str, cycle: int | None, head: str = "") -> str:
    """Name a deployment.

    `res14.on.res8.entropy.s0.c09` is trained on what was chosen in cycles 0 to 9,
    `res14.on.all.s0` on the whole pool, and `... .with.learning_loss` together with that module.

    Args:
      model: the label of the model.
      selection: the selection's name, or `all.s<seed>` for the whole pool.
      cycle: the last cycle whose picks are trained on; None for the whole pool.
      head: the label of the module that is trained along; "" for none.

    Returns:
      The name of the deployment's folder.
    """
    at = "" if cycle is None else f".c{cycle:02d}"
    return f"{model}.on.{selection}{at}" + (f".with.{head}" if head else "")


def chooser_of(name: str) -> tuple[str | None, str, int] | None:
    """Read from a selection's name who chose.

    Args:
      name: a folder's name.

    Returns:
      (surrogate, policy, seed), where the surrogate is None for the random column; None for a name
      that is no selection's.
    """
    match = SELECTION.fullmatch(name)
    return (match[1], match[2], int(match[3])) if match else None


def check_label(field: str, label: str) -> None:
    """Check that a label can be a part of a folder's name.

    Args:
      field: the config's field that it came in, for the message.
      label: the label.

    Raises:
      InputError: for a label with other signs than letters, digits, "_" and "-".
    """
    limits.check(f"config.{field}", label, Label)


def claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write folder/config.json on the first visit; later, refuse a run that is another one.

    Args:
      folder: the run's folder.
      identity: what decides the run's outcome, in JSON's types.

    Raises:
      InputError: says what differs, if the folder holds another run.
    """
    path = folder / "config.json"
    if not path.exists():
        write_json(path, identity)
    elif changed := differences(read_json(path), json.loads(canonical(identity))):
        raise InputError(f"{path}: this folder holds another run: {changed}")


def identity(folder: Path) -> dict[str, Any] | None:
    """Read a run's config.json.

    Args:
      folder: the run's folder.

    Returns:
      What decides the run's outcome; None if there is no such file.

    Raises:
      InputError: names the file, if it is damaged or another run's.
    """
    path = folder / "config.json"
    value = read_if_there(path, {"run": str})
    if value and value["run"] != folder.name:
        raise InputError(f"{path}: is of another run, {value['run']}")
    return value


def result(folder: Path) -> dict[str, Any] | None:
    """Read a deployment's result.json.

    Args:
      folder: the deployment's folder.

    Returns:
      The measurements and what they were made with; None if there is no such file.

    Raises:
      InputError: names the file, if it, or the run's config.json, is damaged or another run's.
    """
    path = folder / "result.json"
    value = read_if_there(path, RESULT)
    if value and value["run"] != folder.name:
        raise InputError(f"{path}: is the result of another run, {value['run']}")
    if value:
        identity(folder)
    return value
