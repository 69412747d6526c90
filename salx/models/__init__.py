"""Models by name, and the one way in which images reach them.

A module is called as `module(images, train)` and returns `(logits, out)`, where `out` names the
intermediates that policies read. Modules take normalised float images, NHWC.
"""

import functools
import inspect
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.data import Dataset
from salx.errors import InputError, unknown
from salx.models import resnet

ZOO = {
    "cifar_resnet8": functools.partial(resnet.CifarResNet, blocks=1),
    "cifar_resnet14": functools.partial(resnet.CifarResNet, blocks=2),
    "cifar_resnet20": functools.partial(resnet.CifarResNet, blocks=3),
}


class Model(NamedTuple):
    """A module with the images it is fed: shape (H, W, C), channel mean and std of 0..1."""

    label: str
    module: nn.Module
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def build(label: str, config: dict[str, Any], dataset: Dataset) -> Model:
    """The model that `config.models.<label>` describes: {"name": ..., **options}.

    Raises InputError for an unknown name or option.
    """
    options = dict(config)
    name = options.pop("name", "")
    if name not in ZOO:
        raise unknown(f"model config.models.{label}.name", name, ZOO)
    known = set(inspect.signature(ZOO[name]).parameters) - {"parent", "name", "classes", "blocks"}
    for option in options:
        if option not in known:
            raise unknown(f"option config.models.{label}", option, known)
    try:
        module = ZOO[name](classes=len(dataset.classes), **options)
        model = Model(label, module, dataset.image_shape, dataset.mean, dataset.std)
        shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
        if not all(leaf.size for leaf in jax.tree.leaves(shapes)):
            raise ValueError("a layer would have no channels")
    except Exception as error:  # whatever a module raises about a width or depth it cannot have
        first = str(error).strip().splitlines()[0]
        raise InputError(f"config.models.{label}: {name} cannot be built: {first}") from error
    return model


def init(model: Model, key: jax.Array) -> dict:
    """Fresh variables {"params", "batch_stats"}, float32."""
    image = jnp.zeros((1, *model.image_shape))
    return dict(model.module.init(key, image, train=False))


def forward(model: Model, variables: dict, images: jax.Array, train: bool):
    """Applies the model to uint8[B, H, W, C].

    Returns:
      (logits, out) in evaluation, ((logits, out), {"batch_stats": ...}) in training.
    """
    images = (images.astype(jnp.float32) / 255 - jnp.array(model.mean)) / jnp.array(model.std)
    mutable = ["batch_stats"] if train else False
    return model.module.apply(variables, images, train=train, mutable=mutable)


def parameters(model: Model) -> int:
    """The number of trainable parameters."""
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))
