"""What tasks share whose labels are classes: the loss, and the sums behind the metrics."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax

BINS = 15  # of confidence, for the calibration error


def losses(logits: jax.Array, labels: jax.Array, counted: jax.Array) -> jax.Array:
    """Compute the cross-entropy in nats at each label.

    Args:
      logits: float32[..., C].
      labels: of any whole-number dtype [...], below C where they count.
      counted: bool[...].

    Returns:
      float32[...], 0 where a label does not count.
    """
    classes = jnp.where(counted, labels, 0).astype(jnp.int32)
    values = optax.softmax_cross_entropy_with_integer_labels(logits, classes)
    return jnp.where(counted, values, 0.0)


def _histogram(values: jax.Array, size: int, weights: jax.Array) -> jax.Array:
    """Add up the weights [...] of each of the values 0..size-1 [...]: [size]."""
    hits = values[..., None] == jnp.arange(size)
    return jnp.sum(hits * weights[..., None], axis=tuple(range(values.ndim)))


def sums(
    logits: jax.Array, labels: jax.Array, losses: jax.Array, valid: jax.Array
) -> dict[str, jax.Array]:
    """Sum up over the labels that count.

    Args:
      logits: float32[..., C].
      labels: [...].
      losses: float32[...].
      valid: bool[...], the labels that count.

    Returns:
      Per class int32[C]: "labelled", "predicted" and "correct"; per bin of confidence
      float32[BINS]: "bin_correct", "bin_confidence"; "loss", and "n", the number of labels.
    """
    guess, confidence = logits.argmax(-1), jax.nn.softmax(logits).max(-1)
    right = valid & (guess == labels)
    bins = jnp.minimum((confidence * BINS).astype(jnp.int32), BINS - 1)
    losses = jnp.where(valid, losses, 0.0)
    classes = logits.shape[-1]
    return {
        "labelled": _histogram(labels, classes, valid),
        "predicted": _histogram(guess, classes, valid),
        "correct": _histogram(labels, classes, right),
        "bin_correct": _histogram(bins, BINS, right).astype(jnp.float32),
        "bin_confidence": _histogram(bins, BINS, jnp.where(valid, confidence, 0.0)),
        "loss": losses.sum(),
        "n": valid.sum(),
    }


def shares(count: np.ndarray, whole: np.ndarray) -> list[float | None]:
    """Divide two counts [C], class by class; None where the whole is 0."""
    return [float(c / w) if w else None for c, w in zip(count, whole, strict=True)]


def calibration(sums: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Compute "ece", the expected calibration error in BINS bins (C. Guo et al., arXiv
    1706.04599), and "loss", the mean cross-entropy, from the sums."""
    n = max(sums["n"], 1)
    return {
        "ece": float(np.abs(sums["bin_correct"] - sums["bin_confidence"]).sum() / n),
        "loss": float(sums["loss"] / n),
    }
