"""Reading, without tensorflow, of sets that tensorflow_datasets prepared as ArrayRecord files.

Preparing needs tensorflow and is done once, by tfds' own command:
`tfds build <name> --file_format=array_record --data_dir=<dir>`.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from salx.data import decoding
from salx.infra import paths
from salx.infra.errors import ArgumentError, InputError, first_line, unknown
from salx.infra.sealed import canonical

Item = dict[str, Any]

CLASSIFIED = ("image", "label")  # a classification's features
METADATA = ("dataset_info.json", "features.json")  # what every version's folder has


class Prepared:
    """Give the records of a split as a `Source`; an item is what `read` makes of a record.

    `read` gets the record with its images still encoded. A record's key is its split and number,
    as in train/0000012: its own name would take reading it.

    Attributes:
      features: tensorflow_datasets' description of the records' fields.
      folder: the folder of the prepared version.
      keys: the records' keys, by id.
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
        self.folder, self.paths = Path(builder.data_dir), [*map(Path, self.info.filepaths)]
        self.sizes = [_size_of(path) for path in self.paths]
        for path, count in zip(self.paths, self.info.shard_lengths, strict=True):
            _check_records(path, count)
        self.records = builder.as_data_source(split, decoders=encoded)
        self.keys = [f"{split}/{number:07d}" for number in range(len(self.records))]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Item:
        try:
            return self.read(self.records[index])
        except Exception as error:  # its reader raises many kinds for a damaged file
            if not 0 <= index < len(self):
                raise
            shard = np.searchsorted(np.cumsum(self.info.shard_lengths), index, "right")
            raise ValueError(f"{self.paths[shard]}: {error}") from error

    def content(self) -> bytes:
        """Tell the content apart without reading it, for the data set's fingerprint.

        Returns:
          The records in each file and the files' sizes in bytes, as bytes of JSON.
        """
        return canonical([self.info.shard_lengths, self.sizes])


def classified(record: Item) -> Item:
    """Make an item of a record of a classification set.

    Args:
      record: {"image": an encoded image, "label": the index of its class}.

    Returns:
      {"image": uint8[H, W, 3], "label": int32[]}.

    Raises:
      ValueError: for an image that cannot be decoded.
    """
    return {"image": decoding.decode(record["image"]), "label": np.int32(record["label"])}


def _size_of(path: Path) -> int:
    """Ask for a file's size in bytes; raise InputError, naming it."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _check_records(path: Path, count: int) -> None:
    """Raise InputError unless a file holds `count` records; one that is cut short holds none."""
    from array_record.python.array_record_module import ArrayRecordReader

    try:
        reader = ArrayRecordReader(str(path), options="readahead_buffer_size:0")
        held = reader.num_records()
        reader.close()
    except Exception as error:
        raise InputError(f"{path}: cut short, or damaged: {first_line(error)}") from error
    if held != count:
        raise InputError(f"{path}: holds {held} records, and dataset_info.json says {count}")


def choose(source: str, from_folders: Callable, from_tfds: Callable) -> Callable:
    """Choose the reader that the option `source` names.

    Args:
      source: "folder" or "tfds".
      from_folders: reads the set from its folders.
      from_tfds: reads it as tensorflow_datasets prepared it.

    Returns:
      One of the two.

    Raises:
      ArgumentError: naming the option, for another value.
    """
    readers = {"folder": from_folders, "tfds": from_tfds}
    if source not in readers:
        raise unknown("{name}", source, readers, "source")
    return readers[source]


def _version_folder(name: str, dir: str, how: str) -> Path:
    """Find the newest dir/name/<version>; raise InputError that says how to prepare it."""
    command = f"tfds build {name} --file_format=array_record --data_dir={dir or '<dir>'}"
    how = f"It is prepared, with tensorflow installed, by `{command}`. {how}"
    if not dir:
        raise ArgumentError("dir", f"tfds data set {name}: {{name}} has to name its folder. {how}")
    versions = paths.local(dir, "dir") / name
    numbers = {
        tuple(map(int, path.name.split("."))): path
        for path in versions.glob("[0-9]*")
        if re.fullmatch(r"[0-9]+(\.[0-9]+)*", path.name) and path.is_dir()
    }
    whole = {number: path for number, path in numbers.items() if (path / METADATA[0]).exists()}
    if not numbers:
        raise InputError(
            f"tfds data set {name} is not there; looked for {versions}/<version>. {how}"
        )
    if not whole:
        raise InputError(f"{numbers[max(numbers)] / METADATA[0]}: is missing. {how}")
    return whole[max(whole)]


def _opened(folder: Path, how: str) -> Any:
    """Open a prepared set's builder; raise InputError for metadata that is missing or damaged."""
    for path in (folder / name for name in METADATA):
        try:
            json.loads(path.read_bytes())
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}. {how}") from error
        except ValueError as error:
            raise InputError(f"{path}: damaged: {first_line(error)}. {how}") from error
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise InputError(
            "source 'tfds' needs tensorflow_datasets: pip install '.[tfds]'"
        ) from error
    try:
        builder = tfds.builder_from_directory(folder)
        builder.info.splits, builder.info.features, builder.info.file_format.value  # noqa: B018
    except Exception as error:  # tfds raises whatever reading its own files does
        names = ", ".join(METADATA)
        raise InputError(
            f"{folder}: its metadata ({names}, *.labels.txt) cannot be used: {first_line(error)}"
        ) from error
    return builder


def splits(
    name: str,
    dir: str,
    names: Sequence[str],
    read: Callable[[Item], Item],
    features: Sequence[str],
    how: str,
) -> list[Prepared]:
    """Open the named splits of a prepared set, from dir/name/<version>.

    Args:
      name: the set's, with its config where it has several.
      dir: the folder in which it was prepared; "" where the user gave none.
      names: the splits' names.
      read: (record) -> item.
      features: the fields of a record that `read` needs.
      how: a sentence that says where the set comes from, for messages.

    Returns:
      A source for each split.

    Raises:
      ArgumentError: naming `dir`, where it is "".
      InputError: for what is not there, lacks a split or a feature, has no random access, or is
        damaged, naming the file.
    """
    folder = _version_folder(name, dir, how)
    builder = _opened(folder, how)
    if builder.info.file_format.value != "array_record":
        raise InputError(
            f"{folder}: prepared as {builder.info.file_format.value}, not array_record"
        )
    for split in names:
        if split not in builder.info.splits:
            raise InputError(f"{folder}: has no split {split!r}. {how}")
    for feature in features:
        if feature not in builder.info.features:
            raise InputError(f"{folder / METADATA[1]}: has no feature {feature!r}. {how}")
    return [Prepared(builder, split, read) for split in names]


def check_classes(source: Prepared, feature: str, classes: Sequence[str]) -> None:
    """Check that the records' labels are a set's classes, in their order.

    Args:
      source: a split of the prepared set.
      feature: the name of the label's field.
      classes: the names of the classes, by index.

    Raises:
      InputError: naming the file of the classes' names, where they are others or missing.
    """
    path = source.folder / f"{feature}.labels.txt"
    if not path.exists():
        raise InputError(f"{path}: is missing; it has the names of the classes, one a line")
    names = getattr(source.features[feature], "names", [])
    for number, (name, wanted) in enumerate(zip(names, classes, strict=False)):
        if name != wanted:
            raise InputError(f"{path}: class {number} is {name!r}, not {wanted!r}")
    if len(names) != len(classes):
        raise InputError(f"{path}: has {len(names)} classes, not {len(classes)}")
