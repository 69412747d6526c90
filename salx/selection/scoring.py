"""The scoring pass: one function of one example, vmapped, jitted, sharded over the pool."""

import functools
from collections.abc import Callable

import jax
import numpy as np

from salx import models, parallel, peers
from salx.data import Source, loader
from salx.models import Model


@functools.cache
def scorer(model: Model, example: Callable) -> Callable:
    """The jitted (variables, uint8[B, H, W, C]) -> float32[B] of a policy's `example`."""

    def score_one(variables, image):
        logits, out = models.forward(model, variables, image[None], train=False)
        return example(jax.tree.map(lambda leaf: leaf[0], {"logits": logits, **out}))

    def score(variables, images):
        return jax.vmap(score_one, in_axes=(None, 0))(variables, images)

    return parallel.jit(score, f"score {model.label}", batched=(1,), split_output=True)


def score_pool(
    model: Model,
    variables: dict,
    example: Callable,
    source: Source,
    ids: np.ndarray,
    batch: int,
    threads: int = 0,
) -> np.ndarray:
    """Scores of the examples `ids` in their order, float32[len(ids)], on every process.

    What stays in memory is one float and one id for each example and the batches in flight.
    """
    score = scorer(model, example)
    scores = np.full(len(source), np.nan, np.float32)
    waiting: list[tuple] = []
    for part in loader.whole(source, ids, batch, threads):
        peers.check_stopping()
        images, index = parallel.put((part["image"], part["id"]))
        waiting.append((index, score(variables, images)))
        if len(waiting) > 2:
            collect(scores, *waiting.pop(0))
    for done in waiting:
        collect(scores, *done)
    return scores[ids]


def collect(scores: np.ndarray, index: jax.Array, values: jax.Array) -> None:
    """Writes a batch's values to their ids; what fills the last batch repeats its last one."""
    scores[parallel.gather(index)] = parallel.gather(values)
