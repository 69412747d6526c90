"""Networks by name: those of this package, of other packages, and a user's own as `module:Name`.

A network is registered as a plain constructor, a class or a function,

    constructor(classes, **options) -> nn.Module

whose parameters are the options that a config may set. The module is called as
`module(images, batch_stats=..., dropout=...)` and returns `(logits, out)`: see model.py. It may
also have `weight_rules()`, so that files of weights fit (rules.py), `last_layer`, the path of
a last linear layer over `out["features"]`, as "Dense_0", and `sees`, the (height, width) of the
images that it is made for, where these are not ImageNet's.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn

from salx.infra import limits
from salx.infra.errors import InputError, unknown
from salx.infra.registry import Registry

Constructor = Callable[..., nn.Module]

FAMILIES = ("resnet", "mobilenet", "xception", "deeplab")
NETWORKS: Registry[Constructor] = Registry(
    "model", "salx.models", [f"salx.models.{family}" for family in FAMILIES]
)
add, register = NETWORKS.add, NETWORKS.register
get, names, origin = NETWORKS.get, NETWORKS.names, NETWORKS.origin

# What linen gives every module, and what a config says of a model beside its options.
PRETRAINED = ("pretrained", "pretrained_weights")
RESERVED = frozenset(("classes", "parent", "name", "label", *PRETRAINED, "train", "code"))


def options_of(constructor: Constructor) -> dict[str, inspect.Parameter]:
    """Return the options of a constructor, from its signature.

    Args:
      constructor: of a network.

    Returns:
      For each option by name its parameter, with default and annotation; without RESERVED ones.
    """
    parameters = limits.parameters(constructor)
    named = {name: each for name, each in parameters.items() if each.kind in limits.NAMED}
    return {name: each for name, each in named.items() if name not in RESERVED}


def check_options(constructor: Constructor, options: Mapping[str, Any], label: str) -> None:
    """Check the options that `config.models.<label>` has for a constructor.

    Args:
      constructor: of the network.
      options: the config's, by name.
      label: the model's, for messages.

    Raises:
      InputError: for an option that the constructor has not, and for a value that its annotation
        does not allow.
    """
    parameters = limits.parameters(constructor)
    takes_any = inspect.Parameter.VAR_KEYWORD in {each.kind for each in parameters.values()}
    choices = {*options_of(constructor), *PRETRAINED}
    for option in options:
        if option in RESERVED or not (takes_any or option in choices):
            raise unknown(f"option config.models.{label}", option, choices)
    limits.check_options(constructor, options, f"config.models.{label}.")


def construct(name: str, classes: int, options: dict) -> nn.Module:
    """Build a network of a name with a config's options, whose lists become tuples.

    Args:
      name: a name that `get` knows, or `module:Name`.
      classes: how many the network tells apart.
      options: of its constructor, by name.

    Returns:
      The module, without variables.

    Raises:
      InputError: for an unknown name, and for what is no linen module.
      Exception: whatever the constructor raises for options that it cannot have.
    """
    module = get(name)(classes=classes, **{k: _frozen(v) for k, v in options.items()})
    if not isinstance(module, nn.Module):
        raise InputError(f"model {name!r} gives no flax.linen.Module but {type(module).__name__}")
    return module


def _frozen(value: object) -> object:
    """A value of a config with tuples for lists, so that a module can be hashed."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
