"""A network's arrays out of what they were saved in.

Training tools save a network inside of other things: under a key (`{"state_dict": ..., "epoch":
3}`), under a prefix of its names (`module.conv1.weight`), or both, several deep. Some save two
networks: the trained one, and the moving average of its weights (EMA).
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from salx.infra.errors import ArgumentError, InputError, unknown
from salx.models import pickles

PLAIN = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module"),
    *("weights", "params", "shadow", "_orig_mod", "_forward_module"),
)
EMA = (
    *("state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "ema_model"),
    *("model_state_dict_ema", "params_ema", "net_ema", "ema_net", "ema"),
)
CHOICES = ("ema", "plain")
# What a training saves beside the weights: its numbers, and the states of losses and metrics.
BESIDE = re.compile(
    r"(?i)epoch|step|iter|updates|averaged|best|loss|criterion|metric|score|seed|version"
    r"|(^|_)(acc|accuracy|lr|iou|miou|f1|auroc|precision|recall|confmat|top\d)(_|$)"
)
DEEPEST = 100

Arrays = dict[str, Any]  # by name: what has a `shape`, read already or not


class Unwrapped(NamedTuple):
    """Hold a network's arrays, and tell which of two networks they are.

    Attributes:
      arrays: by the network's own names, without keys and prefixes around them.
      taken: the key or prefix that was taken where the file has two networks, such as
        "state_dict_ema", or "plain" for names without any; empty where it has one.
    """

    arrays: Arrays
    taken: str


def unwrapped(tree: Any, where: str, wanted: str | None = None) -> Unwrapped:
    """Take the network out of a checkpoint.

    Args:
      tree: dicts of dicts or arrays, or what stands for a module (see pickles.py).
      where: the file, for messages.
      wanted: "ema" or "plain" where there are both; the EMA if it is None.

    Returns:
      The network's arrays, read already or not, as they are in the tree.

    Raises:
      InputError: for what holds no network.
      ArgumentError: naming `weights`, where the wanted one is not there, or is another word.
    """
    if wanted not in (None, *CHOICES):
        raise unknown("choice of {name}", str(wanted), CHOICES, "weights")
    taken, averaged = "", False
    for _ in range(DEEPEST):
        level = _level(tree)
        ema = next((word for word in EMA if _group(level, word)), "")
        rest = {n: a for n, a in _network(level).items() if n.partition(".")[0] not in EMA}
        plain = _plain(level, rest)
        if not ema and not plain:
            break
        if ema and (wanted != "plain" or not (plain or rest)):
            taken, averaged = ema if plain or rest else taken, True
            tree = _group(level, ema)
        else:
            taken = (plain or "plain") if ema else taken
            tree = _group(level, plain) if plain else rest
    arrays = _network(_level(tree))
    if not arrays:
        raise InputError(f"{where}: holds no arrays of a network{_entries(tree)}")
    if wanted == "ema" and not averaged:
        raise ArgumentError("weights", f"{{name}}=ema: {where} holds no average of weights (EMA)")
    if wanted == "plain" and averaged:
        raise ArgumentError("weights", f"{{name}}=plain: {where} holds an average (EMA) alone")
    return Unwrapped(arrays, taken)


def bare(names: Iterable[str]) -> dict[str, str]:
    """Take off the prefixes that all names of a network have, such as "model.".

    Args:
      names: of arrays, layers parted by dots. Only words of EMA and PLAIN are prefixes.

    Returns:
      For each name what is left of it.
    """
    names = list(names)
    shown = dict(zip(names, names, strict=True))
    while word := next((w for w in (*EMA, *PLAIN) if _all_below(shown.values(), w)), ""):
        shown = {name: each.removeprefix(f"{word}.") for name, each in shown.items()}
    return shown


def _all_below(names: Iterable[str], word: str) -> bool:
    """Tell whether a word is a prefix of all names."""
    names = list(names)
    return bool(names) and all(name.startswith(f"{word}.") for name in names)


def _level(tree: Any) -> dict[str, Any]:
    """What lies in a dict or a module by name; nothing in anything else."""
    if pickles.is_module(tree):
        return dict(pickles.state_dict(tree))
    items = tree.items() if isinstance(tree, Mapping) else ()
    return {name: value for name, value in items if isinstance(name, str)}


def _group(level: Mapping[str, Any], word: str) -> Any:
    """What lies under a key, or under a prefix of names; nothing where no array does."""
    if _holds(level.get(word)):
        return level[word]
    below = ((n, a) for n, a in level.items() if n.startswith(f"{word}.") and hasattr(a, "shape"))
    return {name.removeprefix(f"{word}."): array for name, array in below}


def _plain(level: Mapping[str, Any], rest: Arrays) -> str:
    """The key that holds a network, or the prefix that all names of one have."""
    for word in PLAIN:
        if _holds(level.get(word)) or _all_below(rest, word):
            return word
    return ""


def _holds(tree: Any) -> bool:
    """Tell whether an array or a module lies anywhere in dicts."""
    stack, seen_before = [tree], set()
    while stack:
        each = stack.pop()
        if hasattr(each, "shape") or pickles.is_module(each):
            return each is not tree or pickles.is_module(each)
        if isinstance(each, Mapping) and id(each) not in seen_before:
            seen_before.add(id(each))
            stack += each.values()
    return False


def _network(level: Mapping[str, Any]) -> Arrays:
    """The arrays that are not what a training saves beside a network."""
    arrays = {name: each for name, each in level.items() if hasattr(each, "shape")}
    layers = {n.partition(".")[0] for n, a in arrays.items() if "." in n and _is_weight(n, a)}

    def is_beside(name: str, array: Any) -> bool:
        first, dot, _ = name.partition(".")
        if "/" in name or not BESIDE.search(first):
            return False
        return first not in layers if dot else math.prod(array.shape) <= 1

    return {name: array for name, array in arrays.items() if not is_beside(name, array)}


def _is_weight(name: str, array: Any) -> bool:
    """Tell whether an array is the kernel of a layer."""
    return name.endswith(".weight") and len(array.shape) > 1


def _entries(tree: Any) -> str:
    """The first keys of what holds no network, for a message."""
    keys = list(map(str, tree)) if isinstance(tree, Mapping) else []
    return f"; its entries are {', '.join(keys[:6])}" if keys else ""
