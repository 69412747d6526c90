"""Entropy: C. Shannon's, of the predicted classes, in nats (the paper's Eq. 1)."""

import jax
import jax.numpy as jnp

from salx import policies
from salx.policies import Policy


def entropy(logits: jax.Array) -> jax.Array:
    """H = -sum_c p_c log p_c over the last axis; float32[...] of logits [..., C].

    From log_softmax, where p log p cannot become 0 * -inf.
    """
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


def policy(options) -> Policy:
    """Options: `aggregation`, "sum" (default) or "mean" over an image's pixels, if it has any."""
    options = policies.options("entropy", options, {"aggregation": "sum"})
    return policies.of_values("entropy", options, lambda out: entropy(out["logits"]))
