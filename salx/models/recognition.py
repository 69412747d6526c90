"""Which network a file of weights is of, by the names of its layers."""

from collections.abc import Iterator

import flax.linen as nn

from salx.infra.errors import InputError
from salx.models import weights, zoo
from salx.models.mobilenet import ORIGINS
from salx.models.rules import Rule, layer_of
from salx.models.weight_files import Arrays


def candidates(origin: str | None) -> Iterator[tuple[str, nn.Module, list[Rule]]]:
    """Yield name, module and rules of the networks that a file may be of.

    Without `origin`, torchvision's come first. A network from outside the package that cannot be
    loaded, cannot be made without options or has no rules for weights is left out.
    """
    for name in zoo.names():
        try:
            each = [(label, m, weights.rules_of(m)) for label, m in variants(name, origin)]
        except Exception:
            continue
        yield from (candidate for candidate in each if candidate[2])


def variants(name: str, origin: str | None) -> Iterator[tuple[str, nn.Module]]:
    """Yield a network of one class, for each origin that it may have."""
    constructor = zoo.get(name)
    option = zoo.options_of(constructor).get("origin")
    if option is None or option.default not in ORIGINS:
        yield name, constructor(classes=1)
        return
    for each in [origin] if origin else ORIGINS:
        yield f"{name} of {each}", constructor(classes=1, origin=each)


def recognise(arrays: Arrays, where: str, origin: str | None = None) -> nn.Module:
    """Return the network whose layers a file has, with or without its last ones.

    Args:
      arrays: the file's, under PyTorch's names or ours.
      where: the file, for messages.
      origin: whose names a MobileNetV3 has, one of ORIGINS.

    Raises:
      InputError: names the nearest network and what is missing or extra.
    """
    layers = {layer_of(name) for name in arrays}
    ours, misfits = weights.is_ours(arrays), []
    for name, module, rules in candidates(origin):
        head = weights.head_layers(module)
        pairs = [(layer_of(rule.ours), layer_of(rule.theirs)) for rule in rules]
        whole = {pair[not ours] for pair in pairs}
        body = {pair[not ours] for pair in pairs if pair[0] not in head}
        if layers in (whole, body):
            return module
        misfits.append((len(layers ^ whole), name, sorted(whole - layers), sorted(layers - whole)))
    _, name, missing, extra = min(misfits)
    faults = weights.listed({"missing": missing, "extra": extra})
    raise InputError(f"{where}: no known network; the nearest is {name}, layers {faults}")
