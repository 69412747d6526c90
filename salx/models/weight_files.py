"""Files of weights: read, written, and fetched from a hub.

Whose names a file has, and how its arrays reach a network, is no matter of this module: see
weights.py. What a file is follows from its content, as names of files are often wrong.
"""

import io
import os
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np
import safetensors.numpy

from salx.infra import paths, storage
from salx.infra.errors import ArgumentError, InputError, first_line
from salx.models import array_files, checkpoints, torch_files

SUFFIXES = (".safetensors", ".npz", ".pth", ".pt", ".th", ".ckpt", ".bin", ".pth.tar")

Arrays = dict[str, np.ndarray]  # by name, of any shape and of the file's dtypes


class Weights(NamedTuple):
    """Hold a file's arrays, and tell which of two networks they are (checkpoints.py).

    Attributes:
      arrays: by name, in the file's order.
      taken: the key or prefix that was taken where the file has two networks; empty where it has
        one.
    """

    arrays: Arrays
    taken: str


def read(path: Path) -> Arrays:
    """Read the arrays of a file of weights, as `load` does.

    Args:
      path: the file.

    Returns:
      The arrays by name.
    """
    return load(path).arrays


def load(path: Path, wanted: str | None = None) -> Weights:
    """Read a network's arrays from a .safetensors or .npz file, or a checkpoint of PyTorch.

    Nothing in a file is ever executed. Keys and prefixes that tools put around a network are
    taken off.

    Args:
      path: the file.
      wanted: "ema" or "plain" where it has both; without it the EMA.

    Returns:
      The arrays, under the names that the network has in the file.

    Raises:
      InputError: naming the file, for what cannot be read, with what it is where that can be told.
      ArgumentError: naming `weights`, where `wanted` is not there, or is another word.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    if not path.is_file():
        raise InputError(f"{path}: is no file of weights")
    if not path.name.endswith(SUFFIXES):
        raise InputError(
            f"{path}: weights are files named {', '.join(SUFFIXES)}; any other network answers "
            "as module:Name, a function of yours"
        )
    try:
        return _read(path, wanted)
    except ArgumentError:
        raise
    except InputError as error:
        line = str(error)
        raise error if line.startswith(str(path)) else InputError(f"{path}: {line}") from error
    except OSError as error:
        why = error.strerror or first_line(error)
        raise InputError(f"{path}: cannot be read: {why}") from error
    except Exception as error:  # whatever a damaged file makes of its reader
        why = f"{type(error).__name__}: {first_line(error)}"
        raise InputError(f"{path}: is damaged, or no file of weights ({why})") from error


def _read(path: Path, wanted: str | None) -> Weights:
    """Read a file of whatever kind; errors do not name it yet."""
    kind = array_files.kind_of(path)
    if kind in array_files.READERS:
        arrays = array_files.READERS[kind](path)
        return Weights(*checkpoints.unwrapped(arrays, str(path), wanted))
    with torch_files.opened(path, kind == "archive") as file:
        tensors, taken = checkpoints.unwrapped(file.tree, str(path), wanted)
        return Weights(file.arrays(tensors), taken)


def write(path: Path, arrays: Arrays) -> None:
    """Write a file of weights, whole or not at all.

    Args:
      path: the file, which ends in .safetensors or .npz.
      arrays: by name.

    Raises:
      InputError: as `check_writable`.
    """
    storage.write_file(path, encode(path, arrays))


def encode(path: Path, arrays: Arrays) -> bytes:
    """Encode arrays as the file's name says.

    An .npz file has no bfloat16: such arrays become float32, of the same values.

    Args:
      path: the file; it is not written.
      arrays: by name.

    Returns:
      The file's content.

    Raises:
      InputError: as `check_writable`.
    """
    check_writable(path)
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    if path.suffix == ".safetensors":
        return safetensors.numpy.save(arrays, {"format": "pt"})
    brain = np.dtype(ml_dtypes.bfloat16)
    arrays = {n: a.astype(np.float32) if a.dtype == brain else a for n, a in arrays.items()}
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def check_writable(path: Path) -> None:
    """Check that a file of weights can have a name.

    Args:
      path: the file, which need not exist.

    Raises:
      InputError: unless the name ends in .safetensors or .npz.
    """
    if path.suffix not in (".safetensors", ".npz"):
        raise InputError(f"{path}: weights are written as .safetensors or .npz")


def locate(name: str) -> Path:
    """Find the file that `pretrained` means.

    Args:
      name: a local file, or a hub name such as timm/resnet18.a1_in1k, whose file is fetched on
        first use. Such files lie in $SALX_WEIGHTS or ~/.cache/salx/weights, as
        OWNER/NAME/model.safetensors.

    Returns:
      The file's path.

    Raises:
      InputError: for what is neither, or cannot be fetched.
    """
    path = paths.local(name, "pretrained")
    if path.name.endswith(SUFFIXES) or path.exists():
        return path
    if name.count("/") != 1 or name.startswith((".", "~", "/")):
        kinds = f"a file ({', '.join(SUFFIXES)}) nor a hub name such as timm/resnet18.a1_in1k"
        raise InputError(f"pretrained {name!r} is neither {kinds}")
    folder = Path(os.environ.get("SALX_WEIGHTS") or "~/.cache/salx/weights").expanduser() / name
    path = folder / "model.safetensors"
    if not path.exists():
        _fetch(name, path)
    return path


def _fetch(name: str, path: Path) -> None:
    """Download a hub repository's weights to `path`."""
    try:
        import huggingface_hub

        huggingface_hub.hf_hub_download(name, path.name, local_dir=path.parent)
    except Exception as error:  # no network, no such repository, no rights, a full disk
        first = next(iter(str(error).strip().splitlines()), "")
        kind = f"{type(error).__name__}: {first}".rstrip(": ")
        raise InputError(
            f"pretrained {name!r} cannot be fetched ({kind}); place its {path.name} at {path}"
        ) from error
