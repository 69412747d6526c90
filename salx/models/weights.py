"""Weights from files: PyTorch's names and layouts, ours, and the way between them.

In our files a name is `params/<layers>/kernel` or `batch_stats/<layers>/mean`; convolutions are
HWIO, linear layers IO. A module's `torch_names()` pairs its layers with their names in PyTorch,
where convolutions are OIHW and linear layers OI. PyTorch's counters of batches decide nothing:
they are carried from file to file as `num_batches_tracked/<layers>`, and ignored by our models.
"""

import io
import os
import pickle
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import flax
import flax.linen as nn
import numpy as np
import safetensors
import safetensors.numpy

from salx.infra import storage
from salx.infra.errors import InputError, first_line
from salx.models.layers import CLASSIFIERS, HEAD

SUFFIXES = (".safetensors", ".npz", ".pth", ".pt", ".th")
COUNTER = "num_batches_tracked"
OURS = ("params", "batch_stats", COUNTER)
LEAVES = {  # PyTorch's leaf -> our collection and leaf; a normalisation's weight is its scale
    "weight": ("params", "kernel"),
    "bias": ("params", "bias"),
    "running_mean": ("batch_stats", "mean"),
    "running_var": ("batch_stats", "var"),
    COUNTER: (COUNTER, ""),
}
TORCH_LEAVES = {ours: theirs for theirs, (_, ours) in LEAVES.items()} | {"scale": "weight"}

Arrays = dict[str, np.ndarray]


def read(path: Path) -> Arrays:
    """The arrays of a .safetensors, .npz or, with torch installed, .pth file, in their order.

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
    """A PyTorch checkpoint's tensors, without running what its pickle holds."""
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
    """Writes a .safetensors or .npz file, whole or not at all. Raises InputError for others."""
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    if path.suffix == ".safetensors":
        content = safetensors.numpy.save(arrays, {"format": "pt"})
    elif path.suffix == ".npz":
        packed = io.BytesIO()
        np.savez(packed, **arrays)
        content = packed.getvalue()
    else:
        raise InputError(f"{path}: weights are written as .safetensors or .npz")
    try:
        storage.write_file(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def locate(name: str) -> Path:
    """The file that `pretrained` means: a local one, or a hub name's, fetched on first use.

    Hub files lie in $SALX_WEIGHTS or ~/.cache/salx/weights, as OWNER/NAME/model.safetensors.
    Raises InputError for what is neither, or cannot be fetched.
    """
    path = Path(name).expanduser()
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
    """Downloads a hub repository's weights to `path`."""
    try:
        import huggingface_hub

        huggingface_hub.hf_hub_download(name, path.name, local_dir=path.parent)
    except Exception as error:  # no network, no such repository, no rights, a full disk
        first = next(iter(str(error).strip().splitlines()), "")
        kind = f"{type(error).__name__}: {first}".rstrip(": ")
        raise InputError(
            f"pretrained {name!r} cannot be fetched ({kind}); place its {path.name} at {path}"
        ) from error


def is_ours(names: Iterable[str]) -> bool:
    """Whether these are names of ours, not PyTorch's."""
    return any(name.split("/")[0] in OURS for name in names)


def layer_of(name: str) -> str:
    """`layer1.0.conv1` of `layer1.0.conv1.weight`, `Block_0/Conv_0` of `params/Block_0/Conv_0/...`.

    The layer of `num_batches_tracked/BatchNorm_0` is `BatchNorm_0`.
    """
    if not is_ours([name]):
        return name.rpartition(".")[0]
    collection, _, rest = name.partition("/")
    return rest if collection == COUNTER else rest.rpartition("/")[0]


def as_ours(module: nn.Module, arrays: Arrays) -> dict[str, tuple[str, np.ndarray]]:
    """Our name -> (the file's name, array in our layout); names of no layer stay as they are."""
    layers = {theirs: ours for ours, theirs in module.torch_names()}
    if is_ours(arrays):
        return {name: (name, array) for name, array in arrays.items()}
    renamed = {}
    for name, array in arrays.items():
        layer, _, leaf = name.rpartition(".")
        if layer in layers and leaf in LEAVES:
            collection, ours = LEAVES[leaf]
            ours = "scale" if leaf == "weight" and array.ndim == 1 else ours
            key = "/".join(part for part in (collection, layers[layer], ours) if part)
            array = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
            renamed[key] = name, array
        else:
            renamed[name] = name, array
    return renamed


def torch_name(module: nn.Module, name: str) -> str:
    """PyTorch's name of one of ours."""
    leaf = COUNTER if name.startswith(COUNTER) else TORCH_LEAVES[name.rpartition("/")[2]]
    return f"{dict(module.torch_names())[layer_of(name)]}.{leaf}"


def torch_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """PyTorch's shape of one of ours: OIHW of HWIO, OI of IO."""
    return (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape[::-1]


def as_torch(module: nn.Module, arrays: Arrays) -> Arrays:
    """Our arrays under PyTorch's names and in its layouts, for names that the module knows."""
    return {
        torch_name(module, name): array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
        for name, array in arrays.items()
    }


def flatten(variables: Mapping) -> dict:
    """{"params/Conv_0/kernel": leaf, ...}."""
    return flax.traverse_util.flatten_dict(dict(variables), sep="/")


def fill(module: nn.Module, variables: Mapping, arrays: Arrays, where: str) -> dict:
    """The variables with a file's weights in their place, float32.

    `arrays` are named as in PyTorch or as ours. A classifier for another number of classes is
    left out, and a network over a backbone takes a file of the backbone alone: what is left out
    stays as it is in `variables`. Raises InputError that names, in the file's names, the keys
    that are missing, extra or of another shape.
    """
    tops = {layer_of(name).replace("/", ".").partition(".")[0] for name in arrays}
    if hasattr(module, "backbone") and "backbone" not in tops:
        part = {name: tree.get("backbone", {}) for name, tree in variables.items()}
        part = fill(module.backbone, part, arrays, where)
        return {name: {**tree, "backbone": part[name]} for name, tree in variables.items()}
    known, given = flatten(variables), as_ours(module, arrays)
    present = {layer_of(name) for name in known}
    for name in list(given):
        beside = layer_of(name) in HEAD and layer_of(name) not in present
        if name.startswith(COUNTER) or beside:
            del given[name]
    dropped = set()
    for bias in (f"params/{layer}/bias" for layer in CLASSIFIERS):
        if bias in known and bias in given and known[bias].shape != given[bias][1].shape:
            dropped = {name for name in known if layer_of(name) == layer_of(bias)}
    check(module, known, given, dropped, where)
    taken = {name: np.asarray(given[name][1], np.float32) for name in known.keys() - dropped}
    return flax.traverse_util.unflatten_dict({**known, **taken}, sep="/")


def check(module: nn.Module, known: dict, given: dict, dropped: set[str], where: str) -> None:
    """Raises InputError unless the file gives all that is known, in its shapes, and no more."""
    ours = is_ours(old for old, _ in given.values())
    missing = [name if ours else torch_name(module, name) for name in known if name not in given]
    extra = [old for name, (old, _) in given.items() if name not in known]
    shapes = []
    for name in sorted(known.keys() & given.keys() - dropped):
        found, wanted = (
            x.shape if ours else torch_shape(x.shape) for x in (given[name][1], known[name])
        )
        if found != wanted:
            shapes.append(f"{given[name][0]} {found}, not {wanted}")
    faults = {"missing": missing, "extra": extra, "of another shape": shapes}
    if any(faults.values()):
        told = [f"{len(keys)} {kind}: {some(keys)}" for kind, keys in faults.items() if keys]
        raise InputError(f"{where}: does not fit the model: {'; '.join(told)}{hint(module, given)}")


def some(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")


def hint(module: nn.Module, given: dict) -> str:
    """The origins whose names the file has, where the module knows several."""
    if not hasattr(module, "origin"):
        return ""
    layers = {layer_of(old) for old, _ in given.values()}
    fit = [
        origin
        for origin in ("torchvision", "timm", "tf")
        if layers <= {theirs for _, theirs in module.clone(origin=origin).torch_names()}
    ]
    return f"; its names are those of origin={' or '.join(fit)}" if fit else ""
