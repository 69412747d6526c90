"""Policies by name: what each computes from one example, and how it picks.

A new policy is one file with `policy(options) -> Policy`.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from salx.errors import RunError, unknown

POLICIES = ("random", "entropy")


class Policy(NamedTuple):
    """How to choose. `example`, a pure function of one example's outputs {"logits", ...} to a
    float32 score, is what scoring vmaps, jits and shards; `draw(seed, ids, pool)` gives
    float64 scores where no model is needed. `options` is what the record says of it.
    """

    name: str
    options: dict[str, Any]
    example: Callable | None = None
    draw: Callable | None = None


def build(name: str, options: dict[str, Any]) -> Policy:
    """The policy of that name. Raises InputError for an unknown name or option."""
    if name not in POLICIES:
        raise unknown("policy", name, POLICIES)
    return importlib.import_module(f"salx.selection.{name}").policy(options)


def top(scores: np.ndarray, ids: np.ndarray, count: int, keys: Sequence[str]) -> np.ndarray:
    """Positions of the `count` highest scores, best first, int64[count]; ties go by id.

    Raises RunError, naming the example, for a score that is not finite.
    """
    if not np.isfinite(scores).all():
        bad = ids[np.argmin(np.isfinite(scores))]
        raise RunError(f"the score of example {keys[bad]!r} is not finite")
    return np.lexsort((ids, -scores))[:count]
