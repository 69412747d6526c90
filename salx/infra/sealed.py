"""Files that know whether they are sound: JSON objects that carry the digest of their content."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from salx.infra import storage
from salx.infra.errors import InputError


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
