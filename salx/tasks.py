"""The two tasks: a label for each image, or one for each of its pixels."""

import jax
import jax.numpy as jnp
import optax

IGNORE = 255  # the label of a pixel that is not counted

METRICS = {"classification": ("top-1 accuracy", "%"), "segmentation": ("mean IoU", "%")}


def counted(labels: jax.Array) -> jax.Array:
    """Which labels count, bool like labels [B] or [B, H, W]: all classes, pixels not IGNORE."""
    return labels != IGNORE if labels.ndim > 1 else jnp.ones(labels.shape, bool)


def pixel_losses(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Cross-entropy in nats, float32 like labels [B] or [B, H, W]; 0 where they do not count.

    Logits are float32[B, (H, W,) C].
    """
    valid = counted(labels)
    known = jnp.where(valid, labels, 0).astype(jnp.int32)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, known)
    return jnp.where(valid, losses, 0.0)


def cross_entropy(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Each example's mean loss and its weight, the number of labels that count: float32[B] both.

    sum(losses * weights) / sum(weights) is the mean over all labels of the global batch.
    """
    over = tuple(range(1, labels.ndim))
    weights = counted(labels).sum(over).astype(jnp.float32)
    losses = pixel_losses(logits, labels).sum(over)
    return losses / jnp.maximum(weights, 1.0), weights
