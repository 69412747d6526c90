"""Files that detect their own damage: JSON objects that carry the digest of their content."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from salx.infra import limits, storage
from salx.infra.errors import ArgumentError, InputError, first_line

# What the content of a damaged file raises.
DAMAGE = (ValueError, LookupError, AttributeError, TypeError, EOFError, BadZipFile, RecursionError)


def digest(*contents: bytes) -> str:
    """Compute the sha256 of byte strings, one after the other.

    Args:
      *contents: the byte strings; where one ends and the next begins does not matter.

    Returns:
      `sha256:<64 hexadecimal digits>`.
    """
    total = hashlib.sha256()
    for content in contents:
        total.update(content)
    return "sha256:" + total.hexdigest()


def canonical(value: Any) -> bytes:
    """Encode a value as JSON with sorted keys and no spaces: equal values give equal bytes.

    Args:
      value: anything that JSON can hold.

    Returns:
      The JSON text in ASCII.

    Raises:
      ValueError: for NaN and infinity, which JSON lacks.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def encode_json(value: Mapping[str, Any]) -> bytes:
    """Encode a JSON object that carries the digest of its own content.

    Args:
      value: the object, of JSON's types.

    Returns:
      The content of a file, indented, with the digest in the field "digest_of_this".
    """
    with_digest = {**value, "digest_of_this": digest(canonical(value))}
    return json.dumps(with_digest, indent=1, allow_nan=False).encode() + b"\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object that carries the digest of its own content.

    Args:
      path: the file; one that is there is replaced, whole.
      value: the object, of JSON's types.
    """
    storage.write_file(path, encode_json(value))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a file's content raises into an InputError that names the file.

    A bucket that is out of reach for a while is no fault of the file: its error passes.

    Args:
      path: the file that is read within the `with` statement.

    Yields:
      Nothing.

    Raises:
      InputError: where the file cannot be read, or its content is damaged.
    """
    try:
        yield
    except OSError as error:
        if storage.is_transient(error):
            raise
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DAMAGE as error:
        raise InputError(f"{path}: damaged: its content does not match its digest") from error


@contextlib.contextmanager
def using(path: Path) -> Iterator[None]:
    """Turn what a sound file's content raises while it is used into an InputError.

    Such errors are raised where the content lacks a field, or has a value of another kind in it.

    Args:
      path: the file whose content is used within the `with` statement.

    Yields:
      Nothing.

    Raises:
      InputError: names the file, and says what is wrong with its content.
    """
    try:
        yield
    except ArgumentError as error:
        raise InputError(f"{path}: {error}") from error
    except KeyError as error:
        raise InputError(f"{path}: has no field {error}") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"{path}: a field is not what it should be: {first_line(error)}"
        ) from error


def require(path: Path, value: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Check that a sound file has certain fields.

    Args:
      path: the file, for messages.
      value: its content.
      fields: what a field must be, as an annotation, by its path: {"checkpoint.step": int}.

    Raises:
      InputError: names the file and a field that it lacks, or that is another thing.
    """
    with using(path):
        for name, annotation in fields.items():
            inner: Any = value
            for word in name.split("."):
                if not isinstance(inner, Mapping) or word not in inner:
                    raise InputError(f"{path}: has no field {name!r}")
                inner = inner[word]
            limits.check(name, inner, annotation)


def check_seal(seal: str, *contents: bytes) -> None:
    """Check that a digest is that of the contents.

    Args:
      seal: the digest, as `digest` writes it.
      *contents: the byte strings, in order.

    Raises:
      ValueError: where it is not.
    """
    if seal != digest(*contents):
        raise ValueError(seal)


def read_json(path: Path, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read a file that `write_json` wrote.

    Args:
      path: the file.
      fields: the fields that it must have, as `require` takes them; None for no such check.

    Returns:
      The object, without its digest.

    Raises:
      InputError: names the file, if it is damaged, cannot be read or lacks a field.
    """
    with reading(path):
        value = json.loads(storage.read_file(path))
        check_seal(value.pop("digest_of_this"), canonical(value))
    require(path, value, fields or {})
    return value


def read_if_there(path: Path, fields: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Read a file that `write_json` wrote, if it exists.

    Args:
      path: the file.
      fields: the fields that it must have, as `require` takes them; None for no such check.

    Returns:
      The object, without its digest; None where there is no such file.

    Raises:
      InputError: as `read_json` does.
    """
    return read_json(path, fields) if path.exists() else None


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings to {"train.batch": 16, ...}, to compare and to show.

    Args:
      tree: the mappings; an empty one stays as a value.
      prefix: what stands before each name.

    Returns:
      The values by their dotted names. Tuples become lists, as JSON has them.
    """
    flat = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Tell in words what differs between two nested mappings.

    Args:
      old: the values before.
      new: the values now.

    Returns:
      `train.batch 16 -> 32, seeds 3 -> 5`; "" where nothing differs. A field that one of them
      lacks counts as None.
    """
    a, b = flatten(old), flatten(new)
    changed = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    return ", ".join(f"{key} {a.get(key)!r} -> {b.get(key)!r}" for key in changed)
