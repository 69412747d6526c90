"""Run folders: their names, and files that know whether they are sound.

W/study.json                                    the resolved config
W/selections/<surrogate>.<policy>.s<seed>/      config.json  cycle_CC.jsonl  scores_CC.npz
W/deployments/<model>.on.<selection>.c<CC>/     config.json  result.json  checkpoint/
W/deployments/<model>.on.all.s<seed>/           the same, of the whole pool
W/report/                                       index.html  table.*  figures/

A finished file is never changed again. Whether a run is finished is read from its files, not
from a flag. A run's .lock names the process that works on it (infra/locks.py), and W/.lock the
one that writes study.json or the report.
"""

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import salx
from salx.infra import storage
from salx.infra.errors import InputError

LABEL = re.compile(r"[A-Za-z0-9_-]+")


def selection_name(surrogate: str | None, policy: str, seed: int) -> str:
    """`res8.entropy.s0`; the random column has no surrogate: `random.s0`."""
    return ".".join([*([surrogate] if surrogate else []), policy, f"s{seed}"])


def deployment_name(model: str, selection: str, cycle: int | None, head: str = "") -> str:
    """`res14.on.res8.entropy.s0.c09`: trained on what was chosen in cycles 0 to 9;
    `res14.on.all.s0`: on the whole pool; `... .with.learning_loss`: a module beside it."""
    at = "" if cycle is None else f".c{cycle:02d}"
    return f"{model}.on.{selection}{at}" + (f".with.{head}" if head else "")


def check_label(field: str, label: str) -> None:
    """Refuses a label that could not be a part of a folder's name."""
    if not LABEL.fullmatch(label):
        raise InputError(f"config.{field}: {label!r} may hold letters, digits, '_' and '-' only")


def digest(*parts: bytes) -> str:
    """`sha256:<hex>` over the parts, one after the other."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return "sha256:" + total.hexdigest()


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes; NaN is refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON object that carries the digest of its own content."""
    sealed = {**value, "digest_of_this": digest(canonical(value))}
    storage.write_file(path, json.dumps(sealed, indent=1, allow_nan=False).encode() + b"\n")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns whatever a file's content raises into an InputError that names the file."""
    try:
        yield
    except OSError as error:
        if storage.is_transient(error):
            raise
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, AttributeError, TypeError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: damaged: its content does not match its digest") from error


def check_seal(seal: str, *content: bytes) -> None:
    """Raises ValueError unless `seal` is the digest of the content."""
    if seal != digest(*content):
        raise ValueError(seal)


def read_json(path: Path) -> dict[str, Any]:
    """Reads what write_json wrote. Raises InputError, naming the file, if it is damaged."""
    with reading(path):
        value = json.loads(path.read_bytes())
        check_seal(value.pop("digest_of_this"), canonical(value))
    return value


def read_if_there(path: Path) -> dict[str, Any] | None:
    """What read_json gives, or None where there is no such file."""
    return read_json(path) if path.exists() else None


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as {"train.batch": 16, ...}, to compare and to show."""
    flat = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """`train.batch 16 -> 32, seeds 3 -> 5`; empty where nothing differs."""
    a, b = flatten(old), flatten(new)
    changed = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    return ", ".join(f"{key} {a.get(key)!r} -> {b.get(key)!r}" for key in changed)


def claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Writes folder/config.json on the first visit; later, refuses a run that is another one."""
    path = folder / "config.json"
    if not path.exists():
        write_json(path, identity)
    elif changed := differences(read_json(path), json.loads(canonical(identity))):
        raise InputError(f"{path}: this folder holds another run: {changed}")


@functools.cache
def code_version() -> str:
    """Package version and a digest of the package's sources: `0.1.0+1f2e3d4c5b6a`."""
    root = Path(salx.__file__).parent
    files = sorted(path for path in root.rglob("*.py"))
    named = [part for f in files for part in (str(f.relative_to(root)).encode(), f.read_bytes())]
    return f"{salx.__version__}+{digest(*named)[7:19]}"
