"""Pools that are chosen from: a folder of images, a list of them, or a data set."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salx.data import datasets
from salx.data.datasets import Dataset
from salx.data.lists import LISTS, is_list
from salx.infra import paths
from salx.infra.errors import ArgumentError
from salx.infra.outputs import Input


@dataclass(frozen=True)
class Pool:
    """Hold the images that can be chosen from. `len()` is their number.

    Attributes:
      dataset: the images as they are.
      root: the folder that the keys start from, None of a data set without files.
      name: what it was asked for by.
      sources: the files and folders that the name stands for.
    """

    dataset: Dataset
    root: Path | None
    name: str
    sources: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.dataset.pool)

    @property
    def keys(self) -> Sequence[str]:
        """Return the examples' names: file names below the root, or a data set's record names."""
        return self.dataset.pool.keys

    def inputs(self) -> tuple[Input, ...]:
        """List what outputs must spare: the pool's folder, and those that links in it lead to.

        Returns:
          Files and folders; of a list, the list and its images.
        """
        named_inputs = tuple(Input(path, "pool") for path in self.sources)
        if not self.root:
            return named_inputs
        images = Input(self.root, "pool", self.keys)
        if self.root not in self.sources:
            return (*named_inputs, images)
        root = os.path.realpath(self.root)
        real = {os.path.realpath(self.root / folder) for folder in _folders(self.keys)}
        linked = sorted(folder for folder in real if not folder.startswith(f"{root}/"))
        return (*named_inputs, images, *(Input(Path(folder), "pool") for folder in linked))


def _folders(keys: Sequence[str]) -> set[str]:
    """All folders above the keys, but for the root."""
    folders = {key.rpartition("/")[0] for key in keys}
    above = (folder.split("/") for folder in folders if folder)
    return {"/".join(words[: count + 1]) for words in above for count in range(len(words))}


def images(source: str | Path, on_error: str = "raise", **options: Any) -> Pool:
    """Look at a pool of images: list them, and read the headers of their files.

    Args:
      source: a folder, with all below it; a list, .csv, .tsv or .jsonl with a column "image"; or a
        data set's name, also as "name,option=value".
      on_error: "skip" reads every image first, and leaves out, and lists, what cannot be read;
        "raise" stops at it, as it comes.
      **options: the data set's options.

    Returns:
      The pool, for `select`.

    Raises:
      ArgumentError: for what is no folder, list or data set.
      InputError: naming the file or the option that cannot be used.
    """
    text = str(source)
    root = _root(text)
    if root:
        labels = paths.local(text).name if _is_list(text) else "none"
        config = {"name": "folder", "dir": str(root), "labels": labels, **options}
    else:
        name, more = named(text, "pool")
        path = paths.local(name, "pool")
        if ":" not in name and name not in datasets.DATASETS.names():
            why = "no such folder, list or data set"
            if path.is_file():
                why = f"is a file, but no list: these are named {', '.join(LISTS)}"
            raise ArgumentError("pool", f"{{name}}={text}: {why}")
        config = {"name": name, **more, **options}
    dataset = datasets.raw({"on_error": on_error, **config})
    return Pool(dataset, root, text, sources_of(text, options.get("dir", "")))


def sources_of(text: str, folder: str | Path = "") -> tuple[Path, ...]:
    """List the files and folders that a pool is read from, without reading it.

    Args:
      text: what `images` takes.
      folder: its option `dir`, which may stand in the text as well.

    Returns:
      One path, or none of a data set without a folder.
    """
    if _root(text):
        return (paths.local(text),)
    folder = folder or named(text, "pool")[1].get("dir", "")
    return (paths.local(str(folder), "dir"),) if folder else ()


def named(text: str, argument: str) -> tuple[str, dict[str, Any]]:
    """Read `entropy,aggregation=mean` as ("entropy", {"aggregation": "mean"}).

    Args:
      text: a name, and options; their values are JSON, or else text.
      argument: the argument that the text is of, for the error.

    Returns:
      The name, and the options by name.

    Raises:
      ArgumentError: for what is not option=value.
    """
    name, *rest = text.split(",")
    options: dict[str, Any] = {}
    for option in rest:
        key, equals, value = option.partition("=")
        if not equals:
            raise ArgumentError(argument, f"{{name}}={text}: {option!r} is not option=value")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return name, options


def _is_list(text: str) -> bool:
    return is_list(text) and paths.local(text).is_file()


def _root(text: str) -> Path | None:
    """The folder that the keys of a folder's or a list's images start from; None of a set's
    name."""
    if paths.fault(text) or "://" in text:
        return None
    path = paths.local(text, "pool")
    return path.parent if _is_list(text) else path if path.is_dir() else None
