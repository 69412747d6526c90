"""Which network a file of weights is of, by the names of its layers."""

from collections.abc import Iterator
from typing import NamedTuple

import flax.linen as nn

from salx.infra.errors import ArgumentError, InputError, unknown
from salx.models import weights, zoo
from salx.models.mobilenet import DIFFER, ORIGINS
from salx.models.rules import Rule, layer_of
from salx.models.weight_files import Arrays

NEAR = 0.5  # the share of layers that agree, from which on a network is near


class Candidate(NamedTuple):
    """Hold a network that a file may be of.

    Attributes:
      name: under which `zoo.get` knows it.
      label: what messages call it, with its origin where there are several.
      module: the network, for one class.
      rules: of its weights, without prefixes.
    """

    name: str
    label: str
    module: nn.Module
    rules: list[Rule]


def _candidates(origin: str | None) -> Iterator[Candidate]:
    """Yield the networks that a file may be of.

    Without `origin`, torchvision's come first. A network from outside the package that cannot be
    loaded, cannot be made without options or has no rules for weights is left out.
    """
    for name in zoo.names():
        try:
            each = [
                Candidate(name, label, module, weights.read_rules(module))
                for label, module in _variants(name, origin)
            ]
        except Exception:
            continue
        yield from (candidate for candidate in each if candidate.rules)


def _variants(name: str, origin: str | None) -> Iterator[tuple[str, nn.Module]]:
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
      origin: whose names a MobileNetV3 has, one of ORIGINS; None: where several fit, the first.

    Returns:
      The network, for one class: files of any number of classes are recognised.

    Raises:
      InputError: for another network, with those that can be recognised.
    """
    return _fitting(arrays, where, origin)[0].module


def identify(arrays: Arrays, where: str, origin: str | None = None) -> Candidate:
    """Return the network that a file is of, where only one can be meant.

    Args:
      arrays: the file's, under PyTorch's names or ours.
      where: the file, for messages.
      origin: whose definition the network has, one of ORIGINS; None where the names say it.

    Returns:
      The network.

    Raises:
      InputError: for another network, with those that can be recognised.
      ArgumentError: naming `origin`, where it must say whose definition it is, or is another's.
    """
    if origin is not None and origin not in ORIGINS:
        raise unknown("choice of {name}", origin, ORIGINS, "origin")
    first, *others = _fitting(arrays, where)
    if not weights.origin_of(first.module):
        return first
    each = [first, *(other for other in others if other.name == first.name)]
    by_origin = {weights.origin_of(one.module): one for one in each}
    if origin in by_origin:
        return by_origin[origin]
    names = " or ".join(by_origin)
    if origin:
        raise ArgumentError("origin", f"{{name}}={origin}: {where} has the names of {names}")
    if len(each) > 1:
        why = f"must say whose {first.name} {where} is: {names}, {DIFFER}"
        raise ArgumentError("origin", f"{{name}} {why}")
    return first


def _fitting(arrays: Arrays, where: str, origin: str | None = None) -> list[Candidate]:
    """Return the networks that have a file's layers. Raises InputError where there are none."""
    layers, ours = {layer_of(name) for name in arrays}, weights.is_ours(arrays)
    fits, others = [], []
    for each in _candidates(origin):
        head = weights.head_layers(each.module)
        pairs = [(layer_of(rule.ours), layer_of(rule.theirs)) for rule in each.rules]
        whole = {pair[not ours] for pair in pairs}
        if layers in (whole, {pair[not ours] for pair in pairs if pair[0] not in head}):
            fits.append(each)
        others.append((len(layers & whole) / len(layers | whole), each.label, whole))
    if fits:
        return fits
    share, label, whole = max(others, key=lambda other: other[0])
    if share >= NEAR:
        faults = {"missing": sorted(whole - layers), "extra": sorted(layers - whole)}
        which = f"; the nearest is {label}, layers {weights.listed(faults)}"
    else:
        which = f", of layers {weights.some(sorted(layers))}"
    raise InputError(
        f"{where}: no known network{which}; known are {', '.join(zoo.names())}; any other "
        "answers as module:Name, a function of yours"
    )
