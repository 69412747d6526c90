"""Entropy: C. Shannon's, of the predicted classes, in nats (the paper's Eq. 1)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from salx.policies.policy import Aggregation, ScorePolicy
from salx.surrogates.outputs import Outputs


def entropy(logits: jax.Array) -> jax.Array:
    """Compute H = -sum_c p_c log p_c over the last axis: float32[...] of logits [..., C].

    From log_softmax, where p log p cannot become 0 * -inf.
    """
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


@dataclass(frozen=True)
class Entropy(ScorePolicy):
    """Choose what the surrogate is least sure of.

    Attributes:
      aggregation: "sum" or "mean" over an image's pixels, where it has any.

    Equation:
      H(x) = - sum_c p_c log p_c

    Source:
      C. E. Shannon, A Mathematical Theory of Communication, 1948; the paper's Eq. 1.

    Cost:
      One forward pass for each example of the pool.

    Use:
      As the first thing to try: it needs nothing but logits. It looks at each example alone, so
      it may pick many that are alike.
    """

    name = "entropy"
    title = "entropy"
    unit = "entropy (nats)"
    marker = "D"

    aggregation: Aggregation = "sum"

    def values(self, out: Outputs) -> jax.Array:
        """Compute the entropy of each place, float32[places]."""
        return entropy(out.logits)
