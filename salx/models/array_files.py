"""What a file of weights is, by its content; and the arrays of .npz and .safetensors files.

A claim of a file is checked against its size before memory is taken for it.
"""

import math
import zipfile
from pathlib import Path
from typing import IO

import ml_dtypes
import numpy as np
import safetensors

from salx.infra.errors import InputError

Arrays = dict[str, np.ndarray]

DEFLATED = 1100  # times, at most, that a deflated file grows
UNREADABLE = "which cannot be read as weights; save it as float32"
TYPES = {
    **{f"F{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "BOOL": np.dtype("?"),
}
# The first bytes of what else is saved or downloaded as weights, and what to say of it.
FOREIGN = {
    b"version https://git-lfs": "a git-lfs pointer, not the weights: git lfs pull fetches them",
    b"<": "a web page, not the weights: download the file itself, not the page that shows it",
    b"{": "text (JSON), not the weights: a server's answer, or the settings beside them",
    b"\x93NUMPY": "a single array (.npy), not those of a network by name (.npz)",
    b"\x89HDF": "an HDF5 file, as Keras writes; give the weights as .npz or .safetensors",
    b"\x1f\x8b": "compressed (gzip): unpack it first",
    b"(\xb5/\xfd": "compressed (zstd): unpack it first",
    b"7z\xbc\xaf": "compressed (7z): unpack it first",
    b"Rar!": "compressed (rar): unpack it first",
}


def kind_of(path: Path) -> str:
    """Tell what kind of file of weights a file is, by its content.

    Args:
      path: the file; its name does not matter.

    Returns:
      "npz", "safetensors", or of PyTorch "archive" (a zip, since 1.6) or "stream" (before).

    Raises:
      InputError: beginning with "is", for what is none of them, with what to do.
    """
    with open(path, "rb") as file:
        head = file.read(512)
    if head[:2] == b"PK":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return "npz" if names and all(name.endswith(".npy") for name in names) else "archive"
    if head[7:9] == b"\0{":  # behind the header's length, which is below 2**56
        return "safetensors"
    if head[:1] == b"\x80":
        return "stream"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, what in FOREIGN.items():
        if start.startswith(magic):
            raise InputError(f"is {what}")
    if not start:
        raise InputError("is empty")
    raise InputError("is damaged, or no file of weights: .safetensors, .npz, or PyTorch's")


def _npz(path: Path) -> Arrays:
    """Read the arrays of a .npz file. Raises InputError for one that is none, or claims much."""
    arrays, size = {}, path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if info.file_size > DEFLATED * min(info.compress_size, size):
                raise InputError(f"{name} claims more bytes than the file can hold")
            with archive.open(info) as file:
                arrays[name] = _npy(name, file, info.file_size)
    return arrays


def _npy(name: str, file: IO[bytes], size: int) -> np.ndarray:
    """One array of a .npz file, of `size` bytes with its header."""
    version = np.lib.format.read_magic(file)
    headers = (np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0)
    shape, by_columns, dtype = headers[version[0] - 1](file)
    if dtype.kind not in "fiub":
        raise InputError(f"{name} is of {dtype}, {UNREADABLE}")
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count * dtype.itemsize != size - file.tell():
        raise InputError(f"{name} claims {shape}, which is not what the file holds of it")
    return np.ndarray(shape, dtype, bytearray(file.read()), order="F" if by_columns else "C")


def _of_safetensors(path: Path) -> Arrays:
    """Read the arrays of a .safetensors file. Raises InputError for one of odd numbers."""
    arrays = {}
    for name, view in safetensors.deserialize(path.read_bytes()):
        if view["dtype"] not in TYPES:
            raise InputError(f"{name} is of {view['dtype']}, {UNREADABLE}")
        arrays[name] = np.ndarray(view["shape"], TYPES[view["dtype"]], bytearray(view["data"]))
    return arrays


# By kind: path -> arrays by name. They raise InputError without the file's name.
READERS = {"npz": _npz, "safetensors": _of_safetensors}
