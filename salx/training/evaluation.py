"""What a model is worth on the validation split: metrics as sums, divided once at the end."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from salx.data import loader
from salx.data.datasets import Dataset
from salx.infra import mesh, multihost
from salx.infra.errors import RunError
from salx.models import model as networks
from salx.models.model import Model
from salx.tasks import Task


@functools.cache
def counter(model: Model, task: Task) -> Callable:
    """The jitted (variables, batch) -> sums over the labels that count, as `Task.update` says."""

    def count(variables: dict, batch: dict) -> Any:
        (logits, _), _ = networks.forward(model, variables, batch["image"])
        return task.update(logits, batch["label"], batch["mask"])

    return mesh.jit(count, f"evaluate {model.label}", mesh.Placement(batched=(1,)))


def evaluate(
    model: Model,
    variables: dict,
    dataset: Dataset,
    batch: int,
    threads: int = 0,
    workers: int = 0,
) -> dict[str, Any]:
    """The split's verdict, as fractions: what `Task.compute` says, and "val", its examples."""
    task, source, transform = dataset.task, dataset.val, dataset.transforms.evaluate
    ids, sums = np.arange(len(source)), []
    for batch_read in loader.whole(source, transform, ids, batch, threads, workers):
        multihost.check_stopping()
        sums.append(counter(model, task)(variables, mesh.put(batch_read)))
    sums = jax.device_get(sums)
    total = jax.tree.map(lambda *each: np.sum(each, 0, np.float64), *sums)
    result = task.compute(total)
    if not np.isfinite(result["loss"]):
        raise RunError("the loss on the validation split is not finite")
    return {**result, "val": len(source)}
