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


def digest(*contents: bytes) -> str:
    """Give `sha256:<hex>` of the contents, one after the other."""
    total = hashlib.sha256()
    for content in contents:
        total.update(content)
    return "sha256:" + total.hexdigest()


def canonical(value: Any) -> bytes:
    """Encode a value as JSON with sorted keys and no spaces: equal values give equal bytes.

    Raises:
      ValueError: for NaN and infinity, which JSON lacks.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def encode_json(value: Mapping[str, Any]) -> bytes:
    """Encode a JSON object that carries the digest of its own content."""
    with_digest = {**value, "digest_of_this": digest(canonical(value))}
    return json.dumps(with_digest, indent=1, allow_nan=False).encode() + b"\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object that carries the digest of its own content."""
    storage.write_file(path, encode_json(value))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a file's content raises into an InputError that names the file.

    A bucket that is out of reach for a while is no fault of the file: its error passes.
    """
    try:
        yield
    except OSError as error:
        if storage.is_transient(error):
            raise
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, AttributeError, TypeError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: damaged: its content does not match its digest") from error


def check_seal(seal: str, *contents: bytes) -> None:
    """Raise ValueError unless `seal` is the digest of the contents."""
    if seal != digest(*contents):
        raise ValueError(seal)


def read_json(path: Path) -> dict[str, Any]:
    """Read what write_json wrote.

    Raises:
      InputError: names the file, if it is damaged or cannot be read.
    """
    with reading(path):
        value = json.loads(path.read_bytes())
        check_seal(value.pop("digest_of_this"), canonical(value))
    return value


def read_if_there(path: Path) -> dict[str, Any] | None:
    """Read what write_json wrote, or give None where there is no such file."""
    return read_json(path) if path.exists() else None


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings to {"train.batch": 16, ...}, to compare and to show.

    Tuples become lists, as JSON has them.
    """
    flat = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say what differs: `train.batch 16 -> 32, seeds 3 -> 5`; empty where nothing does."""
    a, b = flatten(old), flatten(new)
    changed = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    return ", ".join(f"{key} {a.get(key)!r} -> {b.get(key)!r}" for key in changed)
