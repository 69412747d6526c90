"""PyTorch's checkpoints (.pth, .pt, .ckpt ...) as arrays, without PyTorch.

Since PyTorch 1.6 a checkpoint is a zip archive: `data.pkl`, and a file `data/KEY` for each storage
of numbers. Before, it was one stream: four pickles, the storages' keys, and the storages.
"""

import contextlib
import functools
import io
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from salx.infra.errors import InputError
from salx.models import pickles
from salx.models.array_files import UNREADABLE
from salx.models.pickles import Storage, Tensor

FACTOR = 16  # tensors that share numbers may be so many times their file
MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a stream
# By the names of storages and of types; all little-endian.
TYPES = {
    **{name: np.dtype("<f8") for name in ("Double", "float64")},
    **{name: np.dtype("<f4") for name in ("Float", "float32")},
    **{name: np.dtype("<f2") for name in ("Half", "float16")},
    **{name: np.dtype(ml_dtypes.bfloat16) for name in ("BFloat16", "bfloat16")},
    **{name: np.dtype("<i8") for name in ("Long", "int64")},
    **{name: np.dtype("<i4") for name in ("Int", "int32")},
    **{name: np.dtype("<i2") for name in ("Short", "int16")},
    **{name: np.dtype("i1") for name in ("Char", "int8")},
    **{name: np.dtype("u1") for name in ("Byte", "uint8", "Untyped")},
    **{name: np.dtype("?") for name in ("Bool", "bool")},
}
SIZES = {"ComplexHalf": 4, "ComplexFloat": 8, "ComplexDouble": 16, "QInt8": 1, "QUInt8": 1}
SIZES |= {"QInt32": 4, "QUInt4x2": 1, "QUInt2x4": 1}  # bytes of numbers that are no weights
SIZES |= {name: dtype.itemsize for name, dtype in TYPES.items()}


class File(NamedTuple):
    """Hold an open checkpoint.

    Attributes:
      tree: what was saved, with a Tensor for each tensor (see pickles.py).
      content: gives the bytes of a storage.
      size: of the file, in bytes.
    """

    tree: Any
    content: Callable[[Storage], bytes]
    size: int

    def arrays(self, tensors: Mapping[str, Tensor]) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Read tensors.

        Args:
          tensors: of the tree, by name.

        Returns:
          Copies of their numbers, by name, in their dtypes.

        Raises:
          InputError: naming the first that cannot be read.
        """
        left = FACTOR * self.size
        for name, tensor in tensors.items():
            dtype = TYPES.get(tensor.kind)
            if dtype is None or tensor.storage.kind not in TYPES:
                raise InputError(f"{name} is of {tensor.kind}, {UNREADABLE}")
            left -= math.prod(tensor.shape) * dtype.itemsize
            if left < 0:
                raise InputError(f"{name} claims {tensor.shape}, more than the file can hold")
        return {name: self._array(name, tensor) for name, tensor in tensors.items()}

    def _array(self, name: str, tensor: Tensor) -> np.ndarray:
        """Read one tensor, whose type is one of TYPES."""
        dtype, content = TYPES[tensor.kind], self.content(tensor.storage)
        if math.prod(tensor.shape) * dtype.itemsize > len(content):
            raise InputError(f"{name} claims {tensor.shape}, more than the file holds of it")
        strides = [stride * dtype.itemsize for stride in tensor.strides]
        offset = tensor.offset * dtype.itemsize
        return np.ndarray(tensor.shape, dtype, content, offset, strides).copy()


@contextlib.contextmanager
def opened(path: Path, zipped: bool) -> Iterator[File]:
    """Open a checkpoint, a zip archive or a stream.

    Args:
      path: the file.
      zipped: whether it is a zip archive.

    Yields:
      The open checkpoint, which is closed behind the `with` block.

    Raises:
      InputError: telling what the file is, where it is no checkpoint.
      Exception: whatever a damaged file leads to.
    """
    with _archive(path) if zipped else _stream(path) as file:
        yield file


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[File]:
    """Open a zip archive: `data.pkl`, and a file for each storage."""
    with zipfile.ZipFile(path) as archive:
        names, size = archive.namelist(), path.stat().st_size
        inside = [name.partition("/") for name in names]
        root = next((f"{top}/" for top, _, rest in inside if rest == "data.pkl"), None)
        if root is None:
            raise InputError("is a zip archive, but no checkpoint of PyTorch and no .npz")
        if f"{root}constants.pkl" in names:
            raise InputError("is a TorchScript program; save the state_dict() of its module")

        def read(name: str) -> bytes:
            info = archive.getinfo(f"{root}{name}")
            if info.file_size > size:  # PyTorch does not compress
                raise InputError("claims to be larger than its file")
            return archive.read(info)

        if f"{root}byteorder" in names and read("byteorder") != b"little":
            raise InputError("was written on a big-endian machine")

        @functools.cache
        def content(storage: Storage) -> bytes:
            return read(f"data/{storage.key}")

        yield File(pickles.load(io.BytesIO(read("data.pkl"))), content, size)


@contextlib.contextmanager
def _stream(path: Path) -> Iterator[File]:
    """Open a stream: four pickles, the storages' keys, and the storages."""
    with open(path, "rb") as file:
        if pickles.load(file) != MAGIC:
            raise InputError("is a pickle that PyTorch did not write; save a state_dict instead")
        _protocol, system = pickles.load(file), pickles.load(file)
        if not system["little_endian"]:
            raise InputError("was written on a big-endian machine")
        reader = _Noting(file)
        tree = reader.load()
        starts, size = {}, path.stat().st_size
        for key in pickles.load(file):
            storage = reader.storages[key]
            count = int.from_bytes(file.read(8), "little")
            length = count * SIZES[storage.kind]
            starts[key] = file.tell()
            if count != storage.count or starts[key] + length > size:
                raise InputError("is cut")
            file.seek(length, 1)

        @functools.cache
        def content(storage: Storage) -> bytes:
            file.seek(starts[storage.key])
            return file.read(storage.count * SIZES[storage.kind])

        yield File(tree, content, size)


class _Noting(pickles.Unpickler):
    """Notes all storages that it comes across, by key."""

    def __init__(self, file: Any):
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def persistent_load(self, pid: Any) -> Storage:
        """Return a storage that the pickle refers to, and note it."""
        storage = super().persistent_load(pid)
        self.storages[storage.key] = storage
        return storage
