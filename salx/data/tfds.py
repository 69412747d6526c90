"""Sets that tensorflow_datasets prepared as ArrayRecord files, read without tensorflow.

Preparing needs tensorflow and is done once, by tfds' own command:
`tfds build <name> --file_format=array_record --data_dir=<dir>`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from salx.data import decoding
from salx.infra import paths
from salx.infra.errors import ArgumentError, InputError, unknown
from salx.infra.sealed import canonical

Item = dict[str, Any]


class Prepared:
    """A split's records; items are what `read` makes of one, whose images are still encoded.

    A record's key is its place, train/0000012: its own name would take reading it.
    """

    def __init__(self, builder: Any, split: str, read: Callable[[Item], Item]):
        from tensorflow_datasets import decode, features

        self.info, self.read = builder.info.splits[split], read
        self.features = builder.info.features
        encoded = {
            name: decode.SkipDecoding()
            for name, feature in self.features.items()
            if isinstance(feature, features.Image)
        }
        self.sizes = [size_of(Path(path)) for path in self.info.filepaths]
        self.records = builder.as_data_source(split, decoders=encoded)
        self.keys = [f"{split}/{number:07d}" for number in range(len(self.records))]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Item:
        return self.read(self.records[index])

    def content(self) -> bytes:
        """Give what of the content is known without reading it, for the fingerprint."""
        return canonical([self.info.shard_lengths, self.sizes])


def classified(record: Item) -> Item:
    """Make an item of a record of a classification set."""
    return {"image": decoding.decode(record["image"]), "label": np.int32(record["label"])}


def size_of(path: Path) -> int:
    """Ask for a file's size in bytes. Raises InputError, naming it."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def choose(source: str, from_folders: Callable, from_tfds: Callable) -> Callable:
    """Give the one of the two that the option `source` names."""
    readers = {"folder": from_folders, "tfds": from_tfds}
    if source not in readers:
        raise unknown("{name}", source, readers, "source")
    return readers[source]


def version_folder(name: str, dir: str, how: str) -> Path:
    """Find dir/name/<version>, the newest one. Raises ArgumentError that says how to prepare it."""
    command = f"tfds build {name} --file_format=array_record --data_dir={dir or '<dir>'}"
    how = f"It is prepared, with tensorflow installed, by `{command}`. {how}"
    if not dir:
        raise ArgumentError("dir", f"tfds data set {name}: {{name}} has to name its folder. {how}")
    versions = paths.local(dir, "dir") / name
    folders = {path.parent for path in versions.glob("[0-9]*/dataset_info.json")}
    numbers = {
        tuple(map(int, path.name.split("."))): path
        for path in folders
        if path.name.replace(".", "").isdigit()
    }
    if not numbers:
        raise InputError(
            f"tfds data set {name} is not there; looked for {versions}/<version>. {how}"
        )
    return numbers[max(numbers)]


def splits(
    name: str, dir: str, names: Sequence[str], read: Callable[[Item], Item], how: str
) -> list[Prepared]:
    """Open the named splits of a prepared set, from dir/name/<version>.

    Raises InputError for what is not there, lacks a split, or has no random access.
    """
    folder = version_folder(name, dir, how)
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise InputError(
            "source 'tfds' needs tensorflow_datasets: pip install '.[tfds]'"
        ) from error
    builder = tfds.builder_from_directory(folder)
    if builder.info.file_format.value != "array_record":
        raise InputError(
            f"{folder}: prepared as {builder.info.file_format.value}, not array_record"
        )
    for split in names:
        if split not in builder.info.splits:
            raise InputError(f"{folder}: has no split {split!r}. {how}")
    return [Prepared(builder, split, read) for split in names]


def check_classes(source: Prepared, feature: str, classes: Sequence[str]) -> None:
    """Raises InputError unless the records' labels are these classes in this order."""
    names = source.features[feature].names
    for number, (name, wanted) in enumerate(zip(names, classes, strict=False)):
        if name != wanted:
            raise InputError(f"tfds: class {number} is {name!r}, not {wanted!r}")
    if len(names) != len(classes):
        raise InputError(f"tfds: has {len(names)} classes, not {len(classes)}")
