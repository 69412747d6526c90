"""A file of weights of a known network, in PyTorch's names or ours, as a surrogate."""

import functools
from pathlib import Path

import jax
import numpy as np

from salx import tasks
from salx.data.image_files import MEAN, STD
from salx.infra import sealed
from salx.infra.errors import ArgumentError, InputError
from salx.models import weight_files, weights
from salx.models.model import Model, init
from salx.models.recognition import recognise
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing


def load(path: Path, size: tuple[int, int] | None) -> Network:
    """Read the network that a file of weights is of, with as many classes as its last layer has.

    Args:
      path: a .safetensors, .npz or .pth file.
      size: (h, w) that images are brought to; (224, 224) of a classifier unless given.

    Raises:
      InputError: naming the file, for weights of no known network, or without a classifier.
    """
    arrays = weight_files.read(path)
    blank = recognise(arrays, str(path))
    named = weights.as_ours(blank, arrays)
    last = named.get(f"params/{weights.last_layer(blank)}/bias")
    if last is None:
        raise InputError(f"{path}: a backbone alone: there is no classifier to choose with")
    module = blank.clone(classes=len(last.array))
    task = tasks.get("segmentation" if hasattr(blank, "backbone") else "classification")
    if task.dense and not size:
        raise ArgumentError(
            "size", f"{path}: a segmentation network: {{name}}=H,W must say what it sees"
        )
    resize = max(size) if size else 256  # of classifiers, as ImageNet's recipes evaluate
    height, width = size or (224, 224)
    model = Model(path.stem, module, (height, width, 3), MEAN, STD)
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    variables = weights.fill(module, shapes, arrays, str(path))
    crop = {"evaluate": "center_crop", "evaluate_size": (height, width), "evaluate_resize": resize}
    view = {"evaluate": "fit", "evaluate_size": (height, width)} if task.dense else crop
    return Network(
        model=model,
        arrays=jax.tree.map(np.asarray, variables),
        task=task,
        classes=(),
        preprocessing=Preprocessing((height, width, 3), MEAN, STD, view),
        origin={"file": path.name, "digest": sealed.digest(path.read_bytes())},
    )
