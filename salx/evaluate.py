"""What a model is worth on the validation split: metrics as sums, divided once at the end."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from salx import models, parallel, peers
from salx.data import Source, loader
from salx.errors import RunError
from salx.models import Model

METRIC, UNIT = "top-1 accuracy", "%"


@functools.cache
def counter(model: Model) -> Callable:
    """The jitted (variables, batch) -> {"correct", "loss", "n"}: sums over the unmasked part."""

    def count(variables, batch):
        logits, _ = models.forward(model, variables, batch["image"], train=False)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch["label"])
        correct = logits.argmax(-1) == batch["label"]
        return {
            "correct": jnp.sum(correct & batch["mask"]),
            "loss": jnp.sum(jnp.where(batch["mask"], losses, 0.0)),
            "n": jnp.sum(batch["mask"]),
        }

    return parallel.jit(count, f"evaluate {model.label}", batched=(1,))


def evaluate(
    model: Model, variables: dict, source: Source, batch: int, threads: int = 0
) -> dict[str, float]:
    """Top-1 accuracy as a fraction ("value"), mean loss ("loss") and examples counted ("val")."""
    sums: dict[str, float] = {"correct": 0, "loss": 0.0, "n": 0}
    parts = []
    for part in loader.whole(source, np.arange(len(source)), batch, threads):
        peers.check_stopping()
        parts.append(counter(model)(variables, parallel.put(part)))
    for part in jax.device_get(parts):
        sums = {name: sums[name] + part[name].item() for name in sums}
    if not np.isfinite(sums["loss"]):
        raise RunError("the loss on the validation split is not finite")
    return {
        "value": sums["correct"] / sums["n"],
        "loss": sums["loss"] / sums["n"],
        "val": sums["n"],
    }
