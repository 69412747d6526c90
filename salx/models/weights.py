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
from jaxtyping import Float32, Shaped

from salx.infra.errors import InputError
from salx.models.checkpoints import bare
from salx.models.mobilenet import ORIGINS
from salx.models.rules import COUNTER, Rule, layer_of
from salx.models.weight_files import Arrays

OURS = ("params", "batch_stats", COUNTER)
HIDDEN = ("hidden", "hidden_conv")  # before a last layer: a classifier has it, a backbone has not


class Named(NamedTuple):
    """Hold an array of a file in our layout.

    Attributes:
      theirs: the file's name for it.
      array: of the file's dtype.
    """

    theirs: str
    array: Shaped[np.ndarray, "..."]


def is_ours(names: Iterable[str]) -> bool:
    """Tell whether the names of a file are ours.

    Args:
      names: of its arrays.

    Returns:
      True where any is ours, False where all are PyTorch's.
    """
    return any(name.split("/")[0] in OURS for name in names)


def last_layer(module: nn.Module) -> str | None:
    """Return the path of a network's last layer, where the module names it.

    Args:
      module: the network.

    Returns:
      The path, as "Dense_0", or None.
    """
    return getattr(module, "last_layer", None)


def head_layers(module: nn.Module) -> set[str]:
    """Name the layers that a classifier has and a backbone has not.

    Args:
      module: the network.

    Returns:
      Their paths, whether the network has them or not.
    """
    last = last_layer(module)
    return {*HIDDEN, last} if last else set(HIDDEN)


def rules_of(module: nn.Module) -> list[Rule]:
    """List the rules of a module.

    Args:
      module: the network.

    Returns:
      Its rules; none if it has no `weight_rules()`, as one from outside may.
    """
    return list(module.weight_rules()) if hasattr(module, "weight_rules") else []


def read_rules(module: nn.Module) -> list[Rule]:
    """List the rules of a module to the names that a file has when it is read.

    Reading takes off the prefixes that all names of a file have (checkpoints.py), and so does
    this with the names that rules have.

    Args:
      module: the network.

    Returns:
      Its rules.
    """
    rules = rules_of(module)
    short = bare(dict.fromkeys(rule.theirs for rule in rules))
    return [dataclasses.replace(rule, theirs=short[rule.theirs]) for rule in rules]


def as_ours(module: nn.Module, arrays: Arrays, where: str = "") -> dict[str, Named]:
    """Name a file's arrays as ours.

    Args:
      module: the network.
      arrays: the file's, under PyTorch's names or ours.
      where: the file, for messages; empty: an array of a shape that its rule cannot take is left
        in the file's layout.

    Returns:
      The arrays by our names; what the module has no rule for stays as it is.

    Raises:
      InputError: for an array of a shape that its rule cannot take, where the file is named.
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

    Args:
      module: the network.
      arrays: by our flat names, in our layouts.

    Returns:
      The arrays by PyTorch's names, of the same dtypes.

    Raises:
      InputError: for an array without a rule or of a shape that it cannot have, and for a fused
        tensor that lacks a piece.
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
    return {name: _joined(name, each, splits[name][1:]) for name, each in pieces.items()}


def _joined(name: str, pieces: dict[int, np.ndarray], split: tuple[int, int]) -> np.ndarray:
    """Join the (count, axis) pieces of a file's tensor. Raises InputError if one is missing."""
    count, axis = split
    if len(pieces) < count:
        raise InputError(f"{name}: only {len(pieces)} of its {count} pieces are there")
    return np.concatenate([pieces[i] for i in range(count)], axis) if count > 1 else pieces[0]


def flatten(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten variables to one level.

    Args:
      variables: dicts of dicts, with arrays or shapes as leaves.

    Returns:
      {"params/Conv_0/kernel": leaf, ...}.
    """
    return flax.traverse_util.flatten_dict(dict(variables), sep="/")


def fill(module: nn.Module, variables: Mapping[str, Any], arrays: Arrays, where: str) -> dict:
    """Put a file's weights in the place of a network's variables.

    A classifier for another number of classes is left out, and a network over a backbone takes a
    file of the backbone alone.

    Args:
      module: the network.
      variables: arrays or shapes {"params", "batch_stats"}.
      arrays: named as in PyTorch or as ours.
      where: the file, for messages.

    Returns:
      {"params", "batch_stats"} with the file's arrays as float32; what is left out stays as it is
      in `variables`.

    Raises:
      InputError: names, in the file's names, the arrays that are missing, extra or of another
        shape, or of whole numbers.
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
    if _of_other_classes(f"params/{last}", wanted, named):
        dropped = {name for name in wanted if layer_of(name) == last}
    if faults := _misfits(module, wanted, named, arrays, dropped):
        raise InputError(f"{where}: does not fit the model: {faults}{_hint(module, arrays)}")
    taken = {name: _as_floats(named[name], where) for name in wanted.keys() - dropped}
    filled = flax.traverse_util.unflatten_dict({**wanted, **taken}, sep="/")
    return {collection: filled.get(collection, {}) for collection in variables}


def _of_other_classes(layer: str, wanted: dict[str, Any], named: dict[str, Named]) -> bool:
    """Tell whether a file's last layer is the wanted one but for the number of classes."""
    kernel, bias = f"{layer}/kernel", f"{layer}/bias"
    if not {kernel, bias} <= wanted.keys() & named.keys():
        return False
    shape, count = named[kernel].array.shape, named[bias].array.shape
    alike = shape[:-1] == wanted[kernel].shape[:-1] and shape[-1:] == count
    return alike and count != wanted[bias].shape


def _as_floats(each: Named, where: str) -> Float32[np.ndarray, "..."]:
    """Return an array as float32. Raises InputError for whole numbers, as quantised weights are."""
    if each.array.dtype.kind in "iub":
        kind = f"{each.array.dtype}, as quantised weights are"
        raise InputError(f"{where}: {each.theirs} is of {kind}; give the network before that")
    with np.errstate(over="ignore"):  # what becomes infinite is refused later
        return np.asarray(each.array, np.float32)


def _misfits(
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
    """Count and name the faults of each kind that has any.

    Args:
      faults: for each kind, as "missing", the names of what has it.

    Returns:
      Text such as "2 missing: a, b; 1 extra: c"; empty where there are no faults.
    """
    each = ((kind, list(names)) for kind, names in faults.items())
    return "; ".join(f"{len(names)} {kind}: {some(names)}" for kind, names in each if names)


def some(names: list[str]) -> str:
    """Join the first four names.

    Args:
      names: of arrays or layers.

    Returns:
      Text such as "a, b, c, d, ...".
    """
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def origins(module: nn.Module, arrays: Arrays) -> list[str]:
    """Tell whose definitions of a network a file may be for, by its names.

    Args:
      module: the network; it or its backbone may be defined differently by several of ORIGINS.
      arrays: the file's, under PyTorch's names or ours.

    Returns:
      Those of ORIGINS whose names the file has; none where the definitions do not differ.
    """
    layers, ours = {layer_of(name) for name in arrays}, is_ours(arrays)
    for each in (module, getattr(module, "backbone", None)):
        if each is None or not origin_of(each):
            continue
        fits = []
        for origin in ORIGINS:
            rules = read_rules(_with_origin(each, origin))
            if layers <= {layer_of(rule.ours if ours else rule.theirs) for rule in rules}:
                fits.append(origin)
        if fits:
            return fits
    return []


def origin_of(module: nn.Module) -> str | None:
    """Tell whose definition a network is.

    Args:
      module: the network; it or its backbone may have an `origin`.

    Returns:
      One of ORIGINS, or None where definitions do not differ.
    """
    for each in (module, getattr(module, "backbone", None)):
        origin = getattr(each, "origin", None)
        if isinstance(origin, str) and origin in ORIGINS:
            return origin
    return None


def _with_origin(module: nn.Module, origin: str) -> nn.Module:
    """Return the network as another of ORIGINS defines it."""
    if hasattr(module, "origin"):
        return module.clone(origin=origin)
    return module.clone(backbone=module.backbone.clone(origin=origin))


def _hint(module: nn.Module, arrays: Arrays) -> str:
    """Tell the origins whose names the file has, where the module knows several."""
    fits = origins(module, arrays)
    return f"; its names are those of origin={' or '.join(fits)}" if fits else ""
