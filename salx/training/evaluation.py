"""What a model is worth on the validation split: metrics as sums, divided once at the end."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from salx import models, tasks
from salx.data import loader
from salx.data.datasets import Dataset
from salx.infra import mesh, multihost
from salx.infra.errors import RunError
from salx.models import Model

BINS = 15  # of confidence, for the calibration error


@functools.cache
def counter(model: Model) -> Callable:
    """The jitted (variables, batch) -> sums over the labels that count.

    Per class int32[C]: "labelled", "predicted" and "correct"; per bin of confidence float32:
    "bin_correct", "bin_confidence"; "loss" and "n", the number of labels.
    """

    def count(variables, batch):
        logits, _ = models.forward(model, variables, batch["image"], train=False)
        labels, mask = batch["label"], batch["mask"]
        valid = tasks.counted(labels) & mask.reshape(-1, *[1] * (labels.ndim - 1))
        guess, confidence = logits.argmax(-1), jax.nn.softmax(logits).max(-1)
        right = valid & (guess == labels)
        bins = jnp.minimum((confidence * BINS).astype(jnp.int32), BINS - 1)
        losses = jnp.where(valid, tasks.pixel_losses(logits, labels), 0.0)

        def histogram(values, size, weights):
            hits = values[..., None] == jnp.arange(size)
            return jnp.sum(hits * weights[..., None], axis=tuple(range(values.ndim)))

        classes = logits.shape[-1]
        return {
            "labelled": histogram(labels, classes, valid),
            "predicted": histogram(guess, classes, valid),
            "correct": histogram(labels, classes, right),
            "bin_correct": histogram(bins, BINS, right).astype(jnp.float32),
            "bin_confidence": histogram(bins, BINS, jnp.where(valid, confidence, 0.0)),
            "loss": losses.sum(),
            "n": valid.sum(),
        }

    return mesh.jit(count, f"evaluate {model.label}", mesh.Placement(batched=(1,)))


def evaluate(
    model: Model,
    variables: dict,
    dataset: Dataset,
    batch: int,
    threads: int = 0,
    workers: int = 0,
) -> dict[str, Any]:
    """The split's verdict, as fractions.

    "value": top-1 accuracy, or mean IoU where pixels are labelled; "classes": the same of each
    class (None where it neither occurs nor is predicted); "ece": expected calibration error in
    15 bins (C. Guo et al., arXiv 1706.04599); "loss": mean cross-entropy; "val": examples.
    """
    parts, pixels = [], False
    source, transform = dataset.val, dataset.transforms.evaluate
    ids = np.arange(len(source))
    for part in loader.whole(source, transform, ids, batch, threads, workers):
        pixels = part["label"].ndim > 1
        multihost.check_stopping()
        parts.append(counter(model)(variables, mesh.put(part)))
    parts = jax.device_get(parts)
    sums = {name: np.sum([part[name] for part in parts], 0, np.float64) for name in parts[0]}
    if not np.isfinite(sums["loss"]):
        raise RunError("the loss on the validation split is not finite")
    correct, n = sums["correct"], max(sums["n"], 1)
    either = sums["labelled"] + (sums["predicted"] - correct if pixels else 0)
    shares = [c / e if e else None for c, e in zip(correct, either, strict=True)]
    known = [share for share in shares if share is not None]
    return {
        "value": float(np.mean(known) if pixels else correct.sum() / n),
        "classes": [share if share is None else float(share) for share in shares],
        "ece": float(np.abs(sums["bin_correct"] - sums["bin_confidence"]).sum() / n),
        "loss": float(sums["loss"] / n),
        "val": len(source),
    }
