"""What is labelled already, from records of earlier selections and plain lists of keys."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from salx.data.datasets import Dataset
from salx.infra import paths
from salx.infra.errors import ArgumentError

Source = str | Path


def ids_of(files: Sequence[Source], dataset: Dataset) -> tuple[np.ndarray, int]:
    """Find the pool's ids among the keys in files.

    Args:
      files: records, whose lines have a "key", or text with a key a line.
      dataset: whose pool.

    Returns:
      int64[n] ascending, and how many keys are not in the pool.

    Raises:
      ArgumentError: naming the file and its line.
    """
    keys = {key for file in files for key in keys_in(paths.local(file, "labelled"))}
    return ids_of_keys(keys, dataset)


def ids_of_keys(keys: Iterable[str], dataset: Dataset) -> tuple[np.ndarray, int]:
    """Find the pool's ids of keys: int64[n] ascending, and how many are not there."""
    keys = set(keys)
    ids = [number for number, key in enumerate(dataset.pool.keys) if key in keys]
    return np.array(ids, np.int64), len(keys) - len(ids)


def keys_in(file: Path) -> list[str]:
    """Return the keys that a file names."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise ArgumentError("labelled", f"{{name}}={file}: cannot be read: {error}") from error
    if file.suffix != ".jsonl":
        return [line.strip() for line in lines if line.strip()]
    keys = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            fields = _parsed(line)
            if "key" in fields:
                keys.append(str(fields["key"]))
            elif "format" not in fields:  # which a record's header has
                why = f"{{name}}={file}: line {number} is no JSON with a key"
                raise ArgumentError("labelled", why)
    return keys


def _parsed(line: str) -> dict[str, Any]:
    """A line's JSON object, or nothing."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
