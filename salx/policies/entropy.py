"""Entropy: C. Shannon's, of the predicted classes, in nats (the paper's Eq. 1)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32

from salx.policies.policy import Aggregation, ScorePolicy
from salx.surrogates.outputs import Outputs
from salx.tasks import AnyArray


def entropy(logits: Float[AnyArray, "*places classes"]) -> Float32[Array, "*places"]:
    """Compute Shannon's entropy of the predicted classes, H = -sum_c p_c log p_c.

    It is taken from log_softmax, where p log p cannot become 0 * -inf.

    Args:
      logits: before the softmax; they are taken to float32.

    Returns:
      The entropy in nats, from 0 to log(classes).
    """
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


@dataclass(frozen=True)
class Entropy(ScorePolicy):
    """Choose what the surrogate is least sure of: the largest entropy of its predictions.

    Attributes:
      aggregation: "sum" or "mean" over an image's pixels, where the surrogate predicts
        pixels.

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

    def values(self, out: Outputs) -> Float32[Array, "*places"]:
        """Compute the entropy of each place, in nats."""
        return entropy(out.logits)
