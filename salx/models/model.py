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

from salx.data.datasets import Dataset
from salx.infra import limits, sealed
from salx.infra.errors import InputError, first_line, renamed
from salx.models import dropout as dropouts
from salx.models import weight_files, weights, zoo
from salx.models.mobilenet import DIFFER

MOST_PARAMETERS = 10**11  # 400 GB of float32; more is a mistake

Variables = dict[str, Any]


class Pretrained(NamedTuple):
    """The file that training starts from, with its digest; and of the trained weights and their
    average (EMA), which was wanted, and which taken where it has both: see checkpoints.py."""

    path: str
    digest: str
    wanted: str | None = None
    taken: str = ""


@dataclasses.dataclass(frozen=True)
class Model:
    """A module with the images it is fed; equal models need one compilation.

    Args:
      label: what messages call it; models that differ in their label alone are equal.
      module: the network.
      image_shape: (H, W, C) of the images.
      mean: of each channel, for values in 0..1.
      std: of each channel, likewise.
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

    Raises:
      InputError: for an unknown name or option, and weights that cannot be had or do not fit.
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
        sizes = [leaf.size for leaf in jax.tree.leaves(shapes)]
        if not all(sizes):
            raise ValueError("a layer would have no channels")
        if sum(sizes) > MOST_PARAMETERS:
            raise ValueError(f"it would have {sum(sizes):.0e} parameters")
    except Exception as error:  # whatever a module raises about a width or depth it cannot have
        why = first_line(error)
        raise InputError(f"config.models.{label}: {name} cannot be built: {why}") from error
    if source:
        path = weight_files.locate(source)
        with renamed({"weights": f"config.models.{label}.pretrained_weights"}):
            arrays, taken = weight_files.load(path, wanted)
        check_origin(label, module, options, arrays, path)
        weights.fill(module, shapes, arrays, str(path))
        digest = sealed.digest(path.read_bytes())
        pretrained = Pretrained(str(path), digest, wanted, taken)
        model = dataclasses.replace(model, pretrained=pretrained)
    return model


def check_options(
    label: str, config: Mapping[str, Any]
) -> tuple[str, str, str | None, dict[str, Any]]:
    """Check `config.models.<label>` as far as that needs no data.

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


def check_origin(
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
    """Build the module of a run's model, as its config.json describes it."""
    options = {option: value for option, value in model.items() if option not in DESCRIBING}
    return zoo.construct(options.pop("name"), classes, options)


def identity(model: Model) -> dict[str, Any]:
    """Tell what the model's label and options leave open: weights by content, code from outside."""
    pretrained = {"pretrained": model.pretrained.digest} if model.pretrained else {}
    if model.pretrained and model.pretrained.taken:
        pretrained["pretrained_weights"] = model.pretrained.taken
    return {**pretrained, "code": dict(model.code)} if model.code else pretrained


def init(model: Model, key: jax.Array) -> Variables:
    """Draw fresh variables {"params", "batch_stats"}, float32."""
    image = jnp.zeros((1, *model.image_shape))
    variables = model.module.init(key, image, batch_stats=False, dropout=False)
    return {"batch_stats": {}, **variables}


def init_outputs(model: Model, variables: Variables) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Return (logits, out) of a blank image: the shapes that a module reading them is made for."""
    image = jnp.zeros((1, *model.image_shape))
    return model.module.apply(variables, image, batch_stats=False, dropout=False)


def with_pretrained(model: Model, variables: Variables) -> Variables:
    """Put the pretrained weights, where there are any, in the place of fresh ones.

    Raises InputError, naming the file, if it has changed since the model was built.
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
    images: jax.Array,
    *,
    batch_stats: bool = False,
    dropout: jax.Array | None = None,
) -> tuple[tuple[jax.Array, dict[str, jax.Array]], Variables]:
    """Apply the model to images.

    Args:
      model: the network and how its images are normalised.
      variables: {"params", "batch_stats"}, and what else is of no concern to the network.
      images: uint8[B, H, W, C].
      batch_stats: normalise by the batch's statistics instead of the running ones, and move those.
      dropout: None for none; a key, from which masks for the whole batch are drawn; or keys [B],
        from each of which its example's masks are drawn, whatever the batch.

    Returns:
      ((logits, out), moved): `moved` holds {"batch_stats": ...}, or nothing where `batch_stats`
      is not set or the network has none. Raises InputError for images of another number of
      channels.
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
    """Tell whether the network draws anything at random where dropout is asked for."""
    image = jax.ShapeDtypeStruct((1, *model.image_shape), jnp.float32)
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    apply = functools.partial(model.module.apply, batch_stats=False, dropout=True)
    return dropouts.draws(apply, shapes, image)


def parameters(model: Model) -> int:
    """Count the trainable parameters."""
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


def classifier_of(model: Model, variables: Variables) -> tuple[jax.Array, jax.Array] | None:
    """Return the last linear layer, where logits = features @ W + b, from the variables.

    Returns:
      (W [d, C], b [C]), or None where the module names no `last_layer` or it is no linear one, as
      the 1x1 convolution of a segmentation network.
    """
    layer = weights.flatten(variables["params"])
    name = weights.last_layer(model.module)
    kernel = layer.get(f"{name}/kernel") if name else None
    if kernel is None or kernel.ndim != 2:
        return None
    bias = layer.get(f"{name}/bias")
    return kernel, jnp.zeros(kernel.shape[1], kernel.dtype) if bias is None else bias
