"""Files of weights: read, written, and fetched from a hub.

Whose names a file has, and how its arrays reach a network, is no matter of this module: see
weights.py.
"""

import io
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from salx.infra import paths, storage
from salx.infra.errors import InputError, first_line

SUFFIXES = (".safetensors", ".npz", ".pth", ".pt", ".th")

Arrays = dict[str, np.ndarray]


def read(path: Path) -> Arrays:
    """Read the arrays of a .safetensors, .npz or, with torch installed, .pth file, in their order.

    Nothing in a file is ever executed. The wrappings `state_dict` and `module.` of .pth files
    are taken off. Raises InputError for a file that cannot be read.
    """
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        if path.suffix == ".safetensors":
            with safetensors.safe_open(path, "numpy") as archive:
                return {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
        if path.suffix in SUFFIXES:
            return read_torch(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError),
        *(zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, safetensors.SafetensorError),
    ) as error:
        raise InputError(f"{path}: cannot be read as weights: {first_line(error)}") from error
    raise InputError(f"{path}: weights are files named {', '.join(SUFFIXES)}")


def read_torch(path: Path) -> Arrays:
    """Read a PyTorch checkpoint's tensors, without running what its pickle holds."""
    try:
        import torch
    except ImportError as error:
        raise InputError(
            f"{path}: needs torch to be read; install it, or give a .safetensors or .npz file"
        ) from error
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model"):
        tensors = tensors.get(key, tensors)
    return {name.removeprefix("module."): tensor.numpy() for name, tensor in tensors.items()}


def write(path: Path, arrays: Arrays) -> None:
    """Write a .safetensors or .npz file, whole or not at all. Raises InputError for others."""
    storage.write_file(path, encode(path, arrays))


def encode(path: Path, arrays: Arrays) -> bytes:
    """Encode arrays as the file's name says. Raises InputError as `check_writable`."""
    check_writable(path)
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    if path.suffix == ".safetensors":
        return safetensors.numpy.save(arrays, {"format": "pt"})
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def check_writable(path: Path) -> None:
    """Raise InputError unless the name is that of a .safetensors or .npz file."""
    if path.suffix not in (".safetensors", ".npz"):
        raise InputError(f"{path}: weights are written as .safetensors or .npz")


def locate(name: str) -> Path:
    """Find the file that `pretrained` means: a local one, or a hub name's, fetched on first use.

    Hub files lie in $SALX_WEIGHTS or ~/.cache/salx/weights, as OWNER/NAME/model.safetensors.
    Raises InputError for what is neither, or cannot be fetched.
    """
    path = paths.local(name, "pretrained")
    if path.suffix in SUFFIXES or path.exists():
        return path
    if name.count("/") != 1 or name.startswith((".", "~", "/")):
        kinds = f"a file ({', '.join(SUFFIXES)}) nor a hub name such as timm/resnet18.a1_in1k"
        raise InputError(f"pretrained {name!r} is neither {kinds}")
    folder = Path(os.environ.get("SALX_WEIGHTS") or "~/.cache/salx/weights").expanduser() / name
    path = folder / "model.safetensors"
    if not path.exists():
        fetch(name, path)
    return path


def fetch(name: str, path: Path) -> None:
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
