"""A network with the images that it is fed, and the one way in which they reach it.

A module is called as `module(images, batch_stats=..., dropout=...)`, two switches:

    batch_stats   normalise by the batch's statistics, and move the running ones
    dropout       draw dropout's masks

Training sets both, evaluation neither, Monte-Carlo dropout the second alone. It returns
`(logits, out)`: float32 logits [B, C], or [B, H, W, C] of pixels, and in `out` by name the
intermediates that policies read, "features" float32 [B, d] among them for a classifier. Modules
take normalised float images, NHWC.
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray, UInt8

from salx.data.datasets import Dataset
from salx.infra import limits, sealed
from salx.infra.errors import InputError, first_line, renamed
from salx.models import dropout as dropouts
from salx.models import weight_files, weights, zoo
from salx.models.layers import Outputs
from salx.models.mobilenet import DIFFER

MOST_PARAMETERS = 10**11  # 400 GB of float32; more is a mistake

Variables = dict[str, Any]
Kernel = Float[Array, "features classes"] | Float[np.ndarray, "features classes"]
Bias = Float[Array, " classes"] | Float[np.ndarray, " classes"]


class Pretrained(NamedTuple):
    """Name the file that training starts from, and what was taken of it.

    A checkpoint may hold the trained weights and their moving average (EMA): see checkpoints.py.

    Attributes:
      path: the file.
      digest: of its content, as `sealed.digest` gives it.
      wanted: "ema" or "plain", as the config says; None where it says nothing.
      taken: the key or prefix that was taken where the file has both; empty where it has one.
    """

    path: str
    digest: str
    wanted: str | None = None
    taken: str = ""


@dataclasses.dataclass(frozen=True)
class Model:
    """Hold a network with the shape and statistics of its images.

    Equal models need one compilation; models that differ in their label alone are equal.

    Attributes:
      label: what messages call it.
      module: the network.
      image_shape: (H, W, C) of the images.
      mean: of each channel, where pixels are in 0..1.
      std: the standard deviation of each channel, likewise.
      pretrained: the file that training starts from; None for none.
      code: where a network from outside the package came from, as (name, value) pairs.
    """

    label: str = dataclasses.field(compare=False)
    module: nn.Module
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pretrained: Pretrained | None = None
    code: tuple[tuple[str, str], ...] = ()


def build(label: str, config: dict[str, Any], dataset: Dataset) -> Model:
    """Build the model that `config.models.<label>` describes: {"name": ..., **options}.

    Args:
      label: the model's label in the config.
      config: `name`, a name that `zoo.get` knows, and the options of its constructor. Among them
        `pretrained`, a file of weights or a hub name, `pretrained_weights`, "ema" or "plain" where
        that has both, and `dtype`, "float32" or "bfloat16": what activations are computed in,
        while weights, statistics and losses remain float32. `train` says nothing about the model.
      dataset: what it is trained for, with its classes and images.

    Returns:
      The model; its weights are read and checked, but not held.

    Raises:
      InputError: for an unknown name or option, a network that cannot be built so, and weights
        that cannot be had or do not fit.
    """
    name, source, wanted, options = check_options(label, config)
    if not dataset.classes:
        raise InputError(f"config.models.{label}: data set {dataset.name!r} has no classes")
    try:
        module = zoo.construct(name, len(dataset.classes), options)
        code = tuple((zoo.origin(name) or {}).items())
        images = dataset.image_shape, dataset.mean, dataset.std
        model = Model(label, module, *map(tuple, images), code=code)
        hash(model)  # as compiled steps are found by it
        shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
        _check_sizes(shapes)
    except Exception as error:  # whatever a module raises about a width or depth it cannot have
        why = first_line(error)
        raise InputError(f"config.models.{label}: {name} cannot be built: {why}") from error
    if source:
        path = weight_files.locate(source)
        with renamed({"weights": f"config.models.{label}.pretrained_weights"}):
            arrays, taken = weight_files.load(path, wanted)
        _check_origin(label, module, options, arrays, path)
        weights.fill(module, shapes, arrays, str(path))
        digest = sealed.digest(path.read_bytes())
        pretrained = Pretrained(str(path), digest, wanted, taken)
        model = dataclasses.replace(model, pretrained=pretrained)
    return model


def _check_sizes(shapes: Variables) -> None:
    """Raise ValueError for a layer without channels and for more parameters than can be meant."""
    sizes = [leaf.size for leaf in jax.tree.leaves(shapes)]
    if not all(sizes):
        raise ValueError("a layer would have no channels")
    if sum(sizes) > MOST_PARAMETERS:
        raise ValueError(f"it would have {sum(sizes):.0e} parameters")


def check_options(
    label: str, config: Mapping[str, Any]
) -> tuple[str, str, str | None, dict[str, Any]]:
    """Check `config.models.<label>` as far as that needs no data.

    Args:
      label: the model's label in the config.
      config: as `build` takes it.

    Returns:
      The network's name, its `pretrained` and `pretrained_weights`, and the options of its
      constructor.

    Raises:
      InputError: for an unknown name or option, and for a value that an option cannot have.
    """
    options = {option: value for option, value in config.items() if option != "train"}
    name, source = options.pop("name", ""), options.pop("pretrained", "")
    wanted = options.pop("pretrained_weights", None)
    for option, value in (("pretrained", source), ("pretrained_weights", wanted)):
        limits.check(f"config.models.{label}.{option}", value, str | None)
    constructor = zoo.get(name, f"config.models.{label}.name")
    if not callable(constructor):
        kind = type(constructor).__name__
        raise InputError(f"config.models.{label}.name={name} is no network but {kind}")
    zoo.check_options(constructor, options, label)
    return name, source or "", wanted, options


def _check_origin(
    label: str, module: nn.Module, options: dict[str, Any], arrays: weight_files.Arrays, path: Path
) -> None:
    """Raise InputError where neither a file nor the config tells whose definition it is for."""
    fits = weights.origins(module, arrays)
    if len(fits) > 1 and "origin" not in options:
        raise InputError(
            f"config.models.{label}.origin must say whose network {path} is: its names are those "
            f"of origin={' or '.join(fits)}, {DIFFER}"
        )


# What a run says of its model but options.
DESCRIBING = ("label", "pretrained", "pretrained_weights", "train", "code")


def described(model: dict[str, Any], classes: int) -> nn.Module:
    """Build the network of a run's model.

    Args:
      model: the model as the run's config.json describes it: name, options, and DESCRIBING.
      classes: how many it tells apart.

    Returns:
      The module, without variables.
    """
    options = {option: value for option, value in model.items() if option not in DESCRIBING}
    return zoo.construct(options.pop("name"), classes, options)


def identity(model: Model) -> dict[str, Any]:
    """Tell what the model's label and options leave open.

    Args:
      model: the model.

    Returns:
      A dict of JSON values: the digest of its weights as "pretrained", which of two sets was taken
      as "pretrained_weights", and where code from outside the package came from as "code"; each
      where there is any.
    """
    pretrained = {"pretrained": model.pretrained.digest} if model.pretrained else {}
    if model.pretrained and model.pretrained.taken:
        pretrained["pretrained_weights"] = model.pretrained.taken
    return {**pretrained, "code": dict(model.code)} if model.code else pretrained


def init(model: Model, key: PRNGKeyArray) -> Variables:
    """Draw fresh variables.

    Args:
      model: the network, and the shape of its images.
      key: from which all parameters are drawn.

    Returns:
      {"params", "batch_stats"} of float32 arrays; the second is empty where nothing is normalised.
    """
    image = jnp.zeros((1, *model.image_shape))
    variables = model.module.init(key, image, batch_stats=False, dropout=False)
    return {"batch_stats": {}, **variables}


def init_outputs(model: Model, variables: Variables) -> Outputs:
    """Apply the model to a blank image, for the shapes that a module reading its outputs has.

    Args:
      model: the network, and the shape of its images.
      variables: {"params", "batch_stats"}.

    Returns:
      (logits, out) of a batch of one.
    """
    image = jnp.zeros((1, *model.image_shape))
    return model.module.apply(variables, image, batch_stats=False, dropout=False)


def with_pretrained(model: Model, variables: Variables) -> Variables:
    """Put the pretrained weights, where there are any, in the place of fresh ones.

    Args:
      model: the network, and its file of weights.
      variables: {"params", "batch_stats"}, on their devices.

    Returns:
      The variables with the file's arrays, placed as the fresh ones; the same variables where the
      model has no file. What the file lacks, as a classifier of other classes, stays fresh.

    Raises:
      InputError: naming the file, if it has changed since the model was built.
    """
    if not model.pretrained:
        return variables
    path = Path(model.pretrained.path)
    arrays = weight_files.load(path, model.pretrained.wanted).arrays
    if sealed.digest(path.read_bytes()) != model.pretrained.digest:
        raise InputError(f"{path}: has changed since this study began")
    filled = weights.fill(model.module, variables, arrays, str(path))
    return jax.tree.map(lambda new, old: jax.device_put(new, old.sharding), filled, variables)


def forward(
    model: Model,
    variables: Variables,
    images: UInt8[Array, "batch height width channels"]
    | UInt8[np.ndarray, "batch height width channels"],
    *,
    batch_stats: bool = False,
    dropout: Key[Array, ""] | Key[Array, " batch"] | None = None,
) -> tuple[Outputs, Variables]:
    """Apply the model to images, normalised as (image / 255 - mean) / std.

    Args:
      model: the network and how its images are normalised.
      variables: {"params", "batch_stats"}, and what else is of no concern to the network.
      images: pixels in 0..255.
      batch_stats: normalise by the batch's statistics instead of the running ones, and move those.
      dropout: None for none; a key, from which masks for the whole batch are drawn; or a key for
        each example, from which its masks are drawn, whatever the batch.

    Returns:
      ((logits, out), moved): `moved` holds {"batch_stats": ...}, or nothing where `batch_stats`
      is not set or the network has none.

    Raises:
      InputError: for images of another number of channels.
    """
    if images.shape[-1] != len(model.mean):
        raise InputError(
            f"model {model.label}: images have {images.shape[-1]} channels, not {len(model.mean)}"
        )
    images = (images.astype(jnp.float32) / 255 - jnp.array(model.mean)) / jnp.array(model.std)
    apply = functools.partial(
        model.module.apply,
        variables,
        images,
        batch_stats=batch_stats,
        dropout=dropout is not None,
        mutable=["batch_stats"] if batch_stats else False,
    )
    if dropout is None:
        outputs = apply()
    elif dropout.ndim:
        with dropouts.per_example(dropout):
            outputs = apply()
    else:
        outputs = apply(rngs={"dropout": dropout})
    return outputs if batch_stats else (outputs, {})


def has_dropout(model: Model) -> bool:
    """Tell whether the network draws anything at random where dropout is asked for.

    Args:
      model: the network, and the shape of its images.

    Returns:
      Whether it does. Nothing is computed.
    """
    image = jax.ShapeDtypeStruct((1, *model.image_shape), jnp.float32)
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    apply = functools.partial(model.module.apply, batch_stats=False, dropout=True)
    return dropouts.draws(apply, shapes, image)


def parameters(model: Model) -> int:
    """Count the trainable parameters.

    Args:
      model: the network, and the shape of its images.

    Returns:
      Their number, without the statistics of batch normalisation. Nothing is computed.
    """
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


def classifier_of(model: Model, variables: Variables) -> tuple[Kernel, Bias] | None:
    """Return the last linear layer, where logits = features @ W + b.

    Args:
      model: the network.
      variables: {"params", ...}, of jax or of numpy.

    Returns:
      (W, b), or None where the module names no `last_layer` or it is no linear one, as the 1x1
      convolution of a segmentation network. A layer without bias has zeros as b.
    """
    layer = weights.flatten(variables["params"])
    name = weights.last_layer(model.module)
    kernel = layer.get(f"{name}/kernel") if name else None
    if kernel is None or kernel.ndim != 2:
        return None
    bias = layer.get(f"{name}/bias")
    return kernel, jnp.zeros(kernel.shape[1], kernel.dtype) if bias is None else bias
