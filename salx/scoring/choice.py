"""How a policy chooses from a pool: the one way of a study's cycles and of the command."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from salx.data.datasets import Dataset, Source
from salx.infra import version
from salx.policies import Policy, check_finite, top


class Choice(NamedTuple):
    """Picks in order of rank, int64[k], with their scores [k]; and the scores of everything
    that could be chosen, None where the policy has rows of features in their place."""

    ids: np.ndarray
    scores: np.ndarray
    all: np.ndarray | None


def choose(
    policy: Policy,
    score: Callable[[np.ndarray], np.ndarray],
    source: Source,
    rest: np.ndarray,
    labelled: np.ndarray,
    count: int,
) -> Choice:
    """`count` of the examples `rest`; `score` gives the scores or rows of any examples' ids.

    Raises RunError, naming the example, for a score or row that is not finite or too large.
    """
    rows = score(rest)
    check_finite(rows, rest, source.keys)
    if not policy.pick:
        places = top(rows, rest, count)
        return Choice(rest[places], rows[places], rows)
    centres = score(labelled) if len(labelled) else rows[:0]
    check_finite(centres, labelled, source.keys)
    names = (lambda place, ids=ids: source.keys[ids[place]] for ids in (rest, labelled))
    places, scores = policy.pick(rows, centres, count, *names)
    return Choice(rest[places], scores, None)


def header(
    policy: Policy,
    dataset: Dataset,
    *,
    surrogate: str | None,
    seed: int,
    checkpoint: dict[str, Any] | None,
    labelled: int,
    cycle: int = 0,
    parent: str | None = None,
) -> dict[str, Any]:
    """What a record says of who chose, how, from what, and after which record."""
    return {
        "cycle": cycle,
        "surrogate": surrogate,
        "policy": policy.name,
        "options": policy.options,
        "seed": seed,
        "checkpoint": checkpoint,
        "data": {
            "name": dataset.name,
            "size": len(dataset.pool),
            "fingerprint": dataset.fingerprint,
        },
        "labelled": labelled,
        "version": version.code_version(),
        "parent": parent,
    }
