"""Policies by name: what each computes from one example, and how it picks.

A new policy is one file with `policy(options) -> Policy`.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import numpy as np

from salx.infra.errors import RunError, unknown
from salx.tasks import AGGREGATIONS

POLICIES = ("random", "entropy", "learning_loss", "core_set", "true_loss")


class Policy(NamedTuple):
    """How to choose. Without more, the examples of the highest scores are picked.

    `example`, a pure function of one example's outputs, is what scoring vmaps, jits and shards:
    {"logits" [(H, W,) C], the model's intermediates, "valid": which of the logits' places are
    image and not padding, "task", "label" where `labels` is set, "predicted_loss" where there is a
    `head`} to float32, a score or a row of features; `values` is what a score sums. `head` is
    a module that is trained with the surrogate. `draw(seed, ids, pool)` gives float64 scores
    where no model is needed, and `pick(rows, centres, count, name, centre_name)` the positions
    and scores of the picks where they depend on each other and on the rows of what is labelled
    already; its errors name rows as name(position) says. `options` goes into the record.
    """

    name: str
    options: dict[str, Any]
    example: Callable | None = None
    values: Callable | None = None
    draw: Callable | None = None
    pick: Callable | None = None
    head: nn.Module | None = None
    labels: bool = False


def build(name: str, options: Mapping[str, Any]) -> Policy:
    """The policy of that name. Raises InputError for an unknown name or option."""
    if name not in POLICIES:
        raise unknown("policy", name, POLICIES)
    return importlib.import_module(f"salx.policies.{name}").policy(options)


def options(policy: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults, changed by what is given. Raises InputError for an unknown option."""
    for option in given:
        if option not in defaults:
            raise unknown(f"option of policy {policy}", option, defaults)
    return {**defaults, **given}


def chosen(policy: str, options: Mapping[str, Any], option: str, known: Sequence[str]) -> str:
    """An option's value. Raises InputError unless it is one of those known."""
    if options[option] not in known:
        raise unknown(f"{option} of policy {policy}", str(options[option]), known)
    return options[option]


def of_values(
    name: str,
    options: dict[str, Any],
    values: Callable,
    counts: Callable = lambda out: True,
    **more: Any,
) -> Policy:
    """A policy that scores an image by the sum or mean, as the option `aggregation` says, of its
    `values` [H, W] where they are image and `counts`; or by its single value."""
    how = chosen(name, options, "aggregation", AGGREGATIONS)

    def example(out):
        valid = out["valid"] & counts(out)
        return out["task"].aggregate(values(out), valid, how)

    return Policy(name, options, example=example, values=values, **more)


def top(scores: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` highest scores, best first, int64[count]; ties go by id."""
    return np.lexsort((ids, -scores))[:count]


def check_finite(values: np.ndarray, ids: np.ndarray, keys: Sequence[str]) -> None:
    """Raises RunError for the first example, of scores [n] or rows [n, d], that is not finite."""
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        raise RunError(f"the score of example {keys[ids[np.argmin(finite)]]!r} is not finite")
