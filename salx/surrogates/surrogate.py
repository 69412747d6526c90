"""A past model that chooses: a finished run's folder, or a file of exported weights."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from salx import tasks
from salx.data.pictures import MEAN, STD
from salx.infra import checkpoint, sealed, storage
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.models import recognition, weight_files, weights
from salx.models.model import Model
from salx.tasks import Task


class Surrogate(NamedTuple):
    """A model with its variables, the names of its classes if they are known, and how images
    reach it: `config.transform` of its training, or nothing. `origin` goes into the record."""

    model: Model
    variables: dict[str, Any]
    task: Task
    classes: tuple[str, ...]
    transform: Mapping[str, Any]
    origin: dict[str, Any]
    head: dict[str, Any] | None = None


def load(place: str, size: tuple[int, int] | None = None) -> Surrogate:
    """The surrogate at `place`: a folder of a finished deployment, or weights in PyTorch's or
    our names (.safetensors, .npz, .pth) of a known network.

    `size` (h, w) is what images are brought to for a file of weights; a run knows its own.
    Raises InputError, naming the file, for what cannot be used.
    """
    path = storage.resolve(place)
    if storage.in_bucket(path) and not path.is_dir():
        raise InputError(f"{path}: no run's folder; weights must be a file of this machine")
    asked = of_run(path) if path.is_dir() else of_weights(path, size)
    for name, array in weights.flatten(asked.variables).items():
        # Compiled for CPUs, a ReLU may turn what is not a number into 0, and scores hide it.
        if not np.isfinite(array).all():
            raise InputError(f"{path}: its {name} is not finite")
    return asked


def of_run(folder: Path) -> Surrogate:
    """The trained model of a deployment's folder."""
    config, result, variables = checkpoint.finished(folder)
    seen = config["input"]
    module = networks.described(config["model"], classes=len(seen["classes"]))
    shown = (tuple(seen[field]) for field in ("shape", "mean", "std"))
    model = Model(config["model"]["label"], module, *shown)
    return Surrogate(
        model=model,
        variables=variables,
        task=tasks.get(seen["task"]),
        classes=tuple(seen["classes"]),
        transform=seen["transform"],
        origin={"run": config["run"], **result["checkpoint"]},
        head=config["head"],
    )


def of_weights(path: Path, size: tuple[int, int] | None) -> Surrogate:
    """The network that a file of weights is of, with as many classes as its last layer has."""
    arrays = weight_files.read(path)
    blank = recognition.recognise(arrays, str(path))
    named = weights.as_ours(blank, arrays)
    bias = named.get(f"params/{weights.last_layer(blank)}/bias")
    if not bias:
        raise InputError(f"{path}: a backbone alone: there is no classifier to choose with")
    module, pixels = blank.clone(classes=len(bias.array)), hasattr(blank, "backbone")
    if pixels and not size:
        raise InputError(f"{path}: a segmentation network: --size=H,W must say what it sees")
    resize = max(size) if size else 256  # of classifiers, as ImageNet's recipes evaluate
    size = size or (224, 224)
    model = Model(path.stem, module, (*size, 3), MEAN, STD)
    shapes = jax.eval_shape(functools.partial(networks.init, model), jax.random.key(0))
    variables = weights.fill(module, shapes, arrays, str(path))
    crop = {"evaluate": "center_crop", "evaluate_size": size, "evaluate_resize": resize}
    return Surrogate(
        model=model,
        variables=jax.tree.map(np.asarray, variables),
        task=tasks.get("segmentation" if pixels else "classification"),
        classes=(),
        transform={"evaluate": "fit", "evaluate_size": size} if pixels else crop,
        origin={"file": path.name, "digest": sealed.digest(path.read_bytes())},
    )
