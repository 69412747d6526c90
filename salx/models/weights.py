"""Weights from a file's names to ours and back, and into a network.

A file has PyTorch's names and layouts, or ours. The module's `weight_rules()` say which array is
which (rules.py). Counters of batches are carried from file to file, and ignored by our models.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import flax
import flax.linen as nn
import numpy as np

from salx.infra.errors import InputError
from salx.models.checkpoints import bare
from salx.models.mobilenet import ORIGINS
from salx.models.rules import COUNTER, Rule, layer_of
from salx.models.weight_files import Arrays

OURS = ("params", "batch_stats", COUNTER)
HIDDEN = ("hidden", "hidden_conv")  # before a last layer: a classifier has it, a backbone has not


class Named(NamedTuple):
    """An array of a file under our name: the file's name, and the array in our layout."""

    theirs: str
    array: np.ndarray


def is_ours(names: Iterable[str]) -> bool:
    """Tell whether these are names of ours, not PyTorch's."""
    return any(name.split("/")[0] in OURS for name in names)


def last_layer(module: nn.Module) -> str | None:
    """Return the path of a network's last layer, where the module names it."""
    return getattr(module, "last_layer", None)


def head_layers(module: nn.Module) -> set[str]:
    """Return the layers that a classifier has and a backbone has not."""
    last = last_layer(module)
    return {*HIDDEN, last} if last else set(HIDDEN)


def rules_of(module: nn.Module) -> list[Rule]:
    """Return the rules of a module; none if it has no `weight_rules()`, as one from outside."""
    return list(module.weight_rules()) if hasattr(module, "weight_rules") else []


def read_rules(module: nn.Module) -> list[Rule]:
    """Return the rules to the names that are left of a file's when its prefixes are taken off."""
    rules = rules_of(module)
    short = bare(dict.fromkeys(rule.theirs for rule in rules))
    return [dataclasses.replace(rule, theirs=short[rule.theirs]) for rule in rules]


def as_ours(module: nn.Module, arrays: Arrays, where: str = "") -> dict[str, Named]:
    """Name a file's arrays as ours; what the module has no rule for stays as it is.

    An array of a shape that its rule cannot take is left in the file's layout, or, where the file
    is named by `where`, an InputError.
    """
    if is_ours(arrays):
        return {name: Named(name, array) for name, array in arrays.items()}
    rules = defaultdict(list)
    for rule in read_rules(module):
        rules[rule.theirs].append(rule)
    named = {}
    for name, array in arrays.items():
        for rule in rules.get(name, [Rule(name, name)]):
            try:
                named[rule.ours] = Named(name, rule.to_ours(array))
            except ValueError as error:  # `fill` tells its shape beside the one that is wanted
                if where:
                    why = f"{name} is of shape {array.shape}, which it cannot have"
                    raise InputError(f"{where}: {why}") from error
                named[rule.ours] = Named(name, array)
    return named


def as_torch(module: nn.Module, arrays: Arrays) -> Arrays:
    """Name our arrays as PyTorch does, in its layouts, fused tensors whole.

    Raises InputError for an array without a rule, and for a fused tensor that lacks a piece.
    """
    rules = {rule.ours: rule for rule in rules_of(module)}
    pieces: dict[str, dict[int, np.ndarray]] = defaultdict(dict)
    splits = {}
    for name, array in arrays.items():
        if name not in rules:
            raise InputError(f"{name}: the network has no rule for its name in PyTorch")
        rule = rules[name]
        splits[rule.theirs] = rule.split or (0, 1, 0)
        try:
            pieces[rule.theirs][splits[rule.theirs][0]] = rule.to_theirs(array)
        except ValueError as error:
            why = f"is of shape {array.shape}, which it cannot have"
            raise InputError(f"{name}: {why}") from error
    return {name: joined(name, each, splits[name][1:]) for name, each in pieces.items()}


def joined(name: str, pieces: dict[int, np.ndarray], split: tuple[int, int]) -> np.ndarray:
    """Join the (count, axis) pieces of a file's tensor. Raises InputError if one is missing."""
    count, axis = split
    if len(pieces) < count:
        raise InputError(f"{name}: only {len(pieces)} of its {count} pieces are there")
    return np.concatenate([pieces[i] for i in range(count)], axis) if count > 1 else pieces[0]


def flatten(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten variables to {"params/Conv_0/kernel": leaf, ...}."""
    return flax.traverse_util.flatten_dict(dict(variables), sep="/")


def fill(module: nn.Module, variables: Mapping[str, Any], arrays: Arrays, where: str) -> dict:
    """Return the variables with a file's weights in their place, float32.

    A classifier for another number of classes is left out, and a network over a backbone takes a
    file of the backbone alone: what is left out stays as it is in `variables`.

    Args:
      module: the network.
      variables: arrays or shapes {"params", "batch_stats"}.
      arrays: named as in PyTorch or as ours.
      where: the file, for messages.

    Raises:
      InputError: names, in the file's names, the arrays that are missing, extra or of another
        shape.
    """
    tops = {layer_of(name).replace("/", ".").partition(".")[0] for name in arrays}
    if isinstance(getattr(module, "backbone", None), nn.Module) and "backbone" not in tops:
        backbone = {name: tree.get("backbone", {}) for name, tree in variables.items()}
        backbone = fill(module.backbone, backbone, arrays, where)
        return {name: {**tree, "backbone": backbone[name]} for name, tree in variables.items()}
    wanted, named = flatten(variables), as_ours(module, arrays)
    layers = {layer_of(name) for name in wanted}
    unused = head_layers(module) - layers
    named = {
        name: each
        for name, each in named.items()
        if not name.startswith(COUNTER) and layer_of(name) not in unused
    }
    last, dropped = last_layer(module), set()
    if of_other_classes(f"params/{last}", wanted, named):
        dropped = {name for name in wanted if layer_of(name) == last}
    if faults := misfits(module, wanted, named, arrays, dropped):
        raise InputError(f"{where}: does not fit the model: {faults}{hint(module, arrays)}")
    taken = {name: as_floats(named[name], where) for name in wanted.keys() - dropped}
    filled = flax.traverse_util.unflatten_dict({**wanted, **taken}, sep="/")
    return {collection: filled.get(collection, {}) for collection in variables}


def of_other_classes(layer: str, wanted: dict[str, Any], named: dict[str, Named]) -> bool:
    """Tell whether a file's last layer is the wanted one but for the number of classes."""
    kernel, bias = f"{layer}/kernel", f"{layer}/bias"
    if not {kernel, bias} <= wanted.keys() & named.keys():
        return False
    shape, count = named[kernel].array.shape, named[bias].array.shape
    alike = shape[:-1] == wanted[kernel].shape[:-1] and shape[-1:] == count
    return alike and count != wanted[bias].shape


def as_floats(each: Named, where: str) -> np.ndarray:
    """Return an array as float32. Raises InputError for whole numbers, as quantised weights are."""
    if each.array.dtype.kind in "iub":
        kind = f"{each.array.dtype}, as quantised weights are"
        raise InputError(f"{where}: {each.theirs} is of {kind}; give the network before that")
    with np.errstate(over="ignore"):  # what becomes infinite is refused later
        return np.asarray(each.array, np.float32)


def misfits(
    module: nn.Module,
    wanted: dict[str, Any],
    named: dict[str, Named],
    arrays: Arrays,
    dropped: set[str],
) -> str:
    """Tell in the file's names what it lacks of what is wanted, has more, or in other shapes.

    Args:
      module: the network.
      wanted: its parameters and statistics by our flat names.
      named: the file's, named as ours.
      arrays: the file's.
      dropped: our names that may have other shapes.
    """
    rules = {} if is_ours(arrays) else {rule.ours: rule for rule in rules_of(module)}
    rules = {name: rules.get(name, Rule(name, name)) for name in wanted}
    missing = dict.fromkeys(rule.theirs for name, rule in rules.items() if name not in named)
    extra = [each.theirs for name, each in named.items() if name not in wanted]
    shapes = {}
    for name in sorted(wanted.keys() & named.keys() - dropped):
        theirs = named[name].theirs
        shape, fitting = arrays[theirs].shape, rules[name].their_shape(wanted[name].shape)
        if shape != fitting:
            shapes[f"{theirs} {shape}, not {fitting}"] = None
    return listed({"missing": missing, "extra": extra, "of another shape": shapes})


def listed(faults: Mapping[str, Iterable[str]]) -> str:
    """Count and name the faults of each kind that has any."""
    each = ((kind, list(names)) for kind, names in faults.items())
    return "; ".join(f"{len(names)} {kind}: {some(names)}" for kind, names in each if names)


def some(names: list[str]) -> str:
    """Join the first few names."""
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def origins(module: nn.Module, arrays: Arrays) -> list[str]:
    """Return the origins whose names a file has, of a network or backbone that knows several."""
    layers, ours = {layer_of(name) for name in arrays}, is_ours(arrays)
    for each in (module, getattr(module, "backbone", None)):
        if each is None or not origin_of(each):
            continue
        fits = []
        for origin in ORIGINS:
            rules = read_rules(with_origin(each, origin))
            if layers <= {layer_of(rule.ours if ours else rule.theirs) for rule in rules}:
                fits.append(origin)
        if fits:
            return fits
    return []


def origin_of(module: nn.Module) -> str | None:
    """Return which of ORIGINS a network or its backbone is of; None where these do not differ."""
    for each in (module, getattr(module, "backbone", None)):
        origin = getattr(each, "origin", None)
        if isinstance(origin, str) and origin in ORIGINS:
            return origin
    return None


def with_origin(module: nn.Module, origin: str) -> nn.Module:
    """Return the network as another of ORIGINS defines it."""
    if hasattr(module, "origin"):
        return module.clone(origin=origin)
    return module.clone(backbone=module.backbone.clone(origin=origin))


def hint(module: nn.Module, arrays: Arrays) -> str:
    """Tell the origins whose names the file has, where the module knows several."""
    fits = origins(module, arrays)
    return f"; its names are those of origin={' or '.join(fits)}" if fits else ""
