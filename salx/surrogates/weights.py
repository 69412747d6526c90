"""A file of weights of a known network, in PyTorch's names or ours, as a surrogate."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from salx import tasks
from salx.data.image_files import MEAN, STD
from salx.infra import sealed
from salx.infra.errors import ArgumentError, InputError
from salx.models import recognition, weight_files, weights
from salx.models.model import Model, init
from salx.surrogates import class_names
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing
from salx.tasks import Task

# The size, the shorter side that it is cut from, and why: of networks that say nothing.
IMAGENET = ((224, 224), 256, "cut from a shorter side of 256, as ImageNet's recipes do")


@dataclass(frozen=True)
class Options:
    """Hold what a user may say of a file of weights.

    Attributes:
      size: (height, width) that images are brought to; None for what the network is made for.
      origin: whose definition a MobileNetV3 is for, "torchvision", "timm" or "tf", where the names
        of its weights leave that open.
      classes: the names of the classes, see class_names.py.
      weights: "ema" or "plain" where a file has both; None for "ema".
    """

    size: tuple[int, int] | None = None
    origin: str | None = None
    classes: str | Path | Iterable[str] | None = None
    weights: str | None = None


@dataclass(frozen=True)
class _View:
    """What a network sees.

    Attributes:
      size: (height, width) of the images.
      side: pixels of the shorter side that they are cut from; None of whole images, which are
        fitted.
      why: who says so, for the user.
    """

    size: tuple[int, int]
    side: int | None
    why: str

    def transform(self) -> dict[str, Any]:
        """Return the evaluation's fields of `config.transform`."""
        if self.side is None:
            return {"evaluate": "fit", "evaluate_size": self.size}
        return {
            "evaluate": "center_crop",
            "evaluate_size": self.size,
            "evaluate_resize": self.side,
        }


def load(path: Path, options: Options) -> Network:
    """Read the network that a file of weights is of, with as many classes as its last layer has.

    Args:
      path: .safetensors, .npz, .pth or .ckpt, in PyTorch's names or ours.
      options: what the user says of it.

    Returns:
      The network as a surrogate.

    Raises:
      InputError: naming the file, for weights of no network of ours, or without a classifier.
    """
    arrays, taken = weight_files.load(path, options.weights)
    candidate = recognition.identify(arrays, str(path), options.origin)
    count = _classes_of(candidate.module, arrays, path)
    module = candidate.module.clone(classes=count)
    task = tasks.get("segmentation" if hasattr(module, "backbone") else "classification")
    view = _view_of(module, task, options.size, path)
    digest = sealed.digest(path.read_bytes())
    names = class_names.of_network(options.classes, count, digest, str(path))
    model = Model(path.stem, module, (*view.size, 3), MEAN, STD)
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    variables = weights.fill(module, shapes, arrays, str(path))
    more = {
        "resize": view.side,
        "origin": weights.origin_of(module),
        "weights": taken,
    }
    return Network(
        model=model,
        arrays=jax.tree.map(np.asarray, variables),
        task=task,
        classes=names,
        preprocessing=Preprocessing((*view.size, 3), MEAN, STD, view.transform()),
        origin={
            "file": path.name,
            "digest": digest,
            "network": candidate.name,
            "size": list(view.size),
            **{name: value for name, value in more.items() if value},
        },
        note=f"{path.name}: {_in_words(candidate, names or count, view, taken)}",
    )


def _classes_of(module: nn.Module, arrays: weight_files.Arrays, path: Path) -> int:
    """The number of classes of a file's last layer.

    Raises InputError for a backbone alone, a bias of another shape, and fewer than two classes.
    """
    bias = weights.as_ours(module, arrays).get(f"params/{weights.last_layer(module)}/bias")
    if bias is None:
        raise InputError(f"{path}: a backbone alone: there is no classifier to choose with")
    shape = bias.array.shape
    if len(shape) != 1:
        raise InputError(f"{path}: {bias.theirs} is of shape {shape}; a bias has one axis")
    if shape[0] < 2:
        raise InputError(f"{path}: {bias.theirs} is of {shape[0]} classes; a choice needs two")
    return shape[0]


def _view_of(module: nn.Module, task: Task, size: tuple[int, int] | None, path: Path) -> _View:
    """What a network sees: what the user says, what it is made for, or what ImageNet's recipes do.

    Raises ArgumentError where a segmentation network's user does not say.
    """
    if size:
        return _View(size, None if task.dense else max(size), "as given")
    if task.dense:
        raise ArgumentError(
            "size", f"{path}: a segmentation network: {{name}}=H,W must say what it sees"
        )
    if sees := getattr(module, "sees", None):
        return _View(tuple(sees), max(sees), "its own size")
    return _View(*IMAGENET)


def _in_words(
    candidate: recognition.Candidate, classes: tuple[str, ...] | int, view: _View, taken: str
) -> str:
    """What a file was taken as, in one line."""
    origin = weights.origin_of(candidate.module)
    which = candidate.name + (f" of {origin}" if origin else "")
    count = f"{classes} classes by number"
    if not isinstance(classes, int):
        count = f"{len(classes)} classes ({classes[0]}, {classes[1]}...)"
    height, width = view.size
    both = f"; of two sets of weights {taken}" if taken else ""
    return f"{which}, {count}; sees {height}x{width}, {view.why}{both}"
