"""Models by name, and the one way in which images reach them.

A module is called as `module(images, train)` and returns `(logits, out)`, where `out` names the
intermediates that policies read. Modules take normalised float images, NHWC.
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.data.datasets import Dataset
from salx.infra import sealed
from salx.infra.errors import InputError, unknown
from salx.models import deeplab, resnet, weights, xception
from salx.models.mobilenet import LARGE, SMALL, MobileNetV3

SIZES = {8: 1, 14: 2, 20: 3, 32: 5, 44: 7, 56: 9}  # layers -> blocks in each of three stages
CIFAR = {
    f"cifar_resnet{layers}": functools.partial(resnet.CifarResNet, blocks=blocks)
    for layers, blocks in SIZES.items()
}

basic = functools.partial(resnet.ResNet, block=resnet.BasicBlock)
bottleneck = functools.partial(resnet.ResNet, block=resnet.Bottleneck)

BACKBONES = {
    "resnet18": functools.partial(basic, blocks=(2, 2, 2, 2)),
    "resnet34": functools.partial(basic, blocks=(3, 4, 6, 3)),
    "resnet50": functools.partial(bottleneck, blocks=(3, 4, 6, 3)),
    "resnet20": functools.partial(basic, blocks=(3, 3, 3), width=16),
    "mobilenet_v3_small": functools.partial(MobileNetV3, stages=SMALL, hidden=1024),
    "mobilenet_v3_large": functools.partial(MobileNetV3, stages=LARGE, hidden=1280),
    "xception65": functools.partial(xception.Xception65),
}

DEEPLABS = {
    f"deeplab_{name}": functools.partial(deeplab.over, backbone)
    for name, backbone in BACKBONES.items()
}

ZOO = {**CIFAR, **BACKBONES, **DEEPLABS}


class Model(NamedTuple):
    """A module with the images it is fed: shape (H, W, C), channel mean and std of 0..1.

    `pretrained` is the file that training starts from, with its digest; empty for none.
    """

    label: str
    module: nn.Module
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pretrained: tuple[str, str] | tuple[()] = ()


def build(label: str, config: dict[str, Any], dataset: Dataset) -> Model:
    """The model that `config.models.<label>` describes: {"name": ..., **options}.

    `pretrained` among the options is a file of weights or a hub name; `dtype`, "float32" or
    "bfloat16", is what activations are computed in, while weights, statistics and losses remain
    float32; `train` says nothing about the model. Raises InputError for an unknown name or
    option, and for weights that cannot be had or do not fit.
    """
    options = {option: value for option, value in config.items() if option != "train"}
    name, source = options.pop("name", ""), options.pop("pretrained", "")
    if name not in ZOO:
        raise unknown(f"model config.models.{label}.name", name, ZOO)
    known = options_of(ZOO[name])
    for option in options:
        if option not in known:
            raise unknown(f"option config.models.{label}", option, known | {"pretrained"})
    if not dataset.classes:
        raise InputError(f"config.models.{label}: data set {dataset.name!r} has no classes")
    try:
        module = ZOO[name](classes=len(dataset.classes), **options)
        model = Model(label, module, dataset.image_shape, dataset.mean, dataset.std)
        shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
        if not all(leaf.size for leaf in jax.tree.leaves(shapes)):
            raise ValueError("a layer would have no channels")
    except Exception as error:  # whatever a module raises about a width or depth it cannot have
        first = str(error).strip().splitlines()[0]
        raise InputError(f"config.models.{label}: {name} cannot be built: {first}") from error
    if source:
        path = weights.locate(source)
        weights.fill(module, shapes, weights.read(path), str(path))
        model = model._replace(pretrained=(str(path), sealed.digest(path.read_bytes())))
    return model


BESIDE = ("label", "pretrained", "train")  # what a model's description says beside the module


def described(model: dict[str, Any], classes: int) -> nn.Module:
    """The module of a run's model, as its config.json describes it."""
    options = {option: value for option, value in model.items() if option not in BESIDE}
    return ZOO[options.pop("name")](classes=classes, **options)


def options_of(factory: Callable) -> set[str]:
    """What a config may say of a model of ZOO beside its name and weights."""
    names = set(inspect.signature(factory).parameters) - set(factory.keywords)
    if "options" in names:
        names |= options_of(*factory.args)
    return names - {"classes", "options", "parent", "name"}


def identity(model: Model) -> dict[str, str]:
    """What the model's label and options leave open: the weights by content, not by place."""
    return {"pretrained": model.pretrained[1]} if model.pretrained else {}


def init(model: Model, key: jax.Array) -> dict:
    """Fresh variables {"params", "batch_stats"}, float32."""
    image = jnp.zeros((1, *model.image_shape))
    return dict(model.module.init(key, image, train=False))


def init_outputs(model: Model, variables: dict):
    """(logits, out) of a blank image: the shapes that a module reading them is made for."""
    image = jnp.zeros((1, *model.image_shape))
    return model.module.apply(variables, image, train=False)


def with_pretrained(model: Model, variables: dict) -> dict:
    """Fresh variables with the pretrained weights in their place, where there are any.

    Raises InputError, naming the file, if it has changed since the model was built.
    """
    if not model.pretrained:
        return variables
    path, digest = Path(model.pretrained[0]), model.pretrained[1]
    arrays = weights.read(path)
    if sealed.digest(path.read_bytes()) != digest:
        raise InputError(f"{path}: has changed since this study began")
    filled = weights.fill(model.module, variables, arrays, str(path))
    return jax.tree.map(lambda new, old: jax.device_put(new, old.sharding), filled, variables)


def forward(
    model: Model,
    variables: dict,
    images: jax.Array,
    train: bool,
    dropout: jax.Array | None = None,
):
    """Applies the model to uint8[B, H, W, C]; training draws dropout from a key.

    Returns:
      (logits, out) in evaluation, ((logits, out), {"batch_stats": ...}) in training. Raises
      InputError for images of another number of channels.
    """
    if images.shape[-1] != len(model.mean):
        raise InputError(
            f"model {model.label}: images have {images.shape[-1]} channels, not {len(model.mean)}"
        )
    images = (images.astype(jnp.float32) / 255 - jnp.array(model.mean)) / jnp.array(model.std)
    mutable = ["batch_stats"] if train else False
    rngs = {} if dropout is None else {"dropout": dropout}
    return model.module.apply(variables, images, train=train, mutable=mutable, rngs=rngs)


def parameters(model: Model) -> int:
    """The number of trainable parameters."""
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))
