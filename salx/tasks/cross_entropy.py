"""Cross-entropy and its sums, for all tasks whose labels are classes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Integer, Shaped

from salx.tasks import AnyArray, Sums

BINS = 15  # of confidence, for the calibration error


def losses(
    logits: Float[AnyArray, "*labels classes"],
    labels: Integer[AnyArray, "*labels"],
    counted: Bool[AnyArray, "*labels"],
) -> Float[Array, "*labels"]:
    """Compute the cross-entropy in nats at each label: -log softmax(logits)[label].

    Args:
      logits: float32.
      labels: of any whole-number dtype, below the number of classes where they count.
      counted: which labels count.

    Returns:
      The losses, 0 where a label does not count.
    """
    classes = jnp.where(counted, labels, 0).astype(jnp.int32)
    values = optax.softmax_cross_entropy_with_integer_labels(logits, classes)
    return jnp.where(counted, values, 0.0)


def _histogram(values: AnyArray, size: int, weights: AnyArray) -> jax.Array:
    """Add up the weights [...] of each of the values 0..size-1 [...]: [size]."""
    hits = values[..., None] == jnp.arange(size)
    return jnp.sum(hits * weights[..., None], axis=tuple(range(values.ndim)))


def sums(
    logits: Float[Array, "*labels classes"],
    labels: Integer[Array, "*labels"],
    losses: Float[Array, "*labels"],
    valid: Bool[AnyArray, "*labels"],
) -> dict[str, Shaped[Array, "..."]]:
    """Sum up over the labels that count what `shares` and `calibration` divide.

    Args:
      logits: of a batch.
      labels: the true classes.
      losses: the loss at each label.
      valid: which labels count.

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


def shares(
    count: Shaped[np.ndarray, " classes"], whole: Shaped[np.ndarray, " classes"]
) -> list[float | None]:
    """Divide two counts, class by class.

    Args:
      count: the numerators.
      whole: the denominators.

    Returns:
      The quotients; None where the denominator is 0.
    """
    return [float(c / w) if w else None for c, w in zip(count, whole, strict=True)]


def calibration(sums: Sums) -> dict[str, float]:
    """Compute the expected calibration error and the mean loss from the sums.

    ece = sum_b |correct_b - confidence_b| / n, where the sums of the bins b are over equal
    intervals of confidence, BINS of them (C. Guo et al., arXiv 1706.04599).

    Args:
      sums: the arrays of the function `sums`, added over all batches.

    Returns:
      {"ece": the error from 0 to 1, "loss": the mean cross-entropy in nats}.
    """
    n = max(sums["n"], 1)
    return {
        "ece": float(np.abs(sums["bin_correct"] - sums["bin_confidence"]).sum() / n),
        "loss": float(sums["loss"] / n),
    }
