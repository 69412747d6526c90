"""Which network a file of weights is of, by the names of its layers."""

from collections.abc import Iterator

import flax.linen as nn

from salx import models
from salx.infra.errors import InputError
from salx.models import weights
from salx.models.layers import HEAD
from salx.models.mobilenet import ORIGINS


def candidates(origin: str | None) -> Iterator[tuple[str, nn.Module]]:
    """The networks that a file may be of, by name; without `origin`, torchvision's first."""
    for name, factory in models.ZOO.items():
        if "origin" not in models.options_of(factory):
            yield name, factory(classes=1)
            continue
        for each in [origin] if origin else ORIGINS:
            yield f"{name} of {each}", factory(classes=1, origin=each)


def recognise(arrays: weights.Arrays, where: str, origin: str | None = None) -> nn.Module:
    """The network whose layers a file has, with or without its last ones.

    Raises InputError that names the nearest network and what is missing or extra.
    """
    layers = {weights.layer_of(name) for name in arrays}
    theirs, misfits = not weights.is_ours(arrays), []
    for name, module in candidates(origin):
        pairs = list(module.torch_names())
        whole = {pair[theirs] for pair in pairs}
        body = {pair[theirs] for pair in pairs if pair[0] not in HEAD}
        if layers in (whole, body):
            return module
        misfits.append((len(layers ^ whole), name, sorted(whole - layers), sorted(layers - whole)))
    _, name, missing, extra = min(misfits)
    faults = {"missing": missing, "extra": extra}
    told = [f"{len(keys)} {kind}: {weights.some(keys)}" for kind, keys in faults.items() if keys]
    raise InputError(f"{where}: no known network; the nearest is {name}, layers {'; '.join(told)}")
