"""The scoring pass: one function of one example, vmapped, jitted, sharded over the pool."""

import functools
from collections.abc import Callable

import jax
import numpy as np

from salx.data import loader
from salx.data.datasets import Dataset
from salx.infra import mesh, multihost
from salx.models import model as networks
from salx.models.loss_prediction import LossPrediction
from salx.models.model import Model
from salx.policies import Policy
from salx.scoring.resume import Parts
from salx.tasks import Task


@functools.cache
def scorer(
    model: Model, example: Callable, task: Task, head: LossPrediction | None, labels: bool
) -> Callable:
    """The jitted (variables, batch) -> float32[B, ...] of a policy's `example`.

    The batch holds "image" uint8[B, H, W, C] and, for segmentation, "size" int32[B, 2].
    """

    def score_one(seen, item):
        seen["valid"] = task.valid(seen["logits"].shape[:-1], item.get("size"))
        seen["task"] = task
        return example(seen | {"label": item["label"]} if labels else seen)

    def score(variables, batch):
        (logits, out), _ = networks.forward(model, variables, batch["image"])
        if head:
            loss = head.apply({"params": variables["head"]}, logits, out, task.dense)
            out = {**out, "predicted_loss": loss}
        beside = {name: batch[name] for name in ("size", "label") if name in batch}
        return jax.vmap(score_one)({**out, "logits": logits}, beside)

    placement = mesh.Placement(batched=(1,), split_output=True)
    return mesh.jit(score, f"score {model.label}", placement)


def score_pool(
    model: Model,
    variables: dict,
    policy: Policy,
    dataset: Dataset,
    ids: np.ndarray,
    batch: int,
    threads: int = 0,
    workers: int = 0,
    parts: Parts | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray:
    """The scores, or rows of features, of the pool's examples `ids` in their order, on every
    process: float32[len(ids), ...].

    What stays in memory is one row and one id for each example and the batches in flight.
    With `parts` the pass can be stopped and goes on from there. `watch` hears how far it is.
    """
    score = scorer(model, policy.example, dataset.task, policy.head, policy.labels)
    fields = ("image", "size", *(("label",) if policy.labels else ()))
    source, transform = dataset.pool, dataset.transforms.evaluate
    place = np.zeros(len(source), np.int32)
    place[ids] = np.arange(len(ids))
    rows, first, waiting = None, 0, []
    if parts and (before := parts.load()) is not None:
        rows, first = np.empty((len(ids), *before.shape[1:]), np.float32), len(before) // batch
        rows[: len(before)] = before

    def collect(number: int, index: jax.Array, values: jax.Array) -> None:
        nonlocal rows
        values, done = mesh.gather(values), min((number + 1) * batch, len(ids))
        if rows is None:
            rows = np.empty((len(ids), *values.shape[1:]), np.float32)
        rows[place[mesh.gather(index)]] = values  # a filled-up tail repeats its last example
        watch(done, len(ids))
        if parts:
            parts.save(rows[:done])

    batches = loader.whole(source, transform, ids, batch, threads, workers, first)
    for number, part in enumerate(batches, first):
        multihost.check_stopping()
        seen = {name: part[name] for name in fields if name in part}
        index, seen = mesh.put((part["id"], seen))
        waiting.append((number, index, score(variables, seen)))
        if len(waiting) > 2:
            collect(*waiting.pop(0))
    for done in waiting:
        collect(*done)
    return np.zeros(0, np.float32) if rows is None else rows
