"""What a surrogate answers: logits, features, intermediates, scores."""

from dataclasses import replace
from typing import Any, cast

import jax
import jax.numpy as jnp
from flax import struct

from salx.tasks import Task

Leaf = Any  # an array, or None where it is absent; a policy's `needs` say which are there
OUTPUTS = ("logits", "features", "maps", "score")  # what a policy may need


@struct.dataclass
class Outputs:
    """What a surrogate says of one example; what is absent is None.

    Attributes:
      logits: float32[(places,) C]; with several passes or members [K, (places,) C].
      valid: bool[places], which places are image and not padding; bool[] of one place.
      features: float32[d], what the last linear layer reads.
      maps: the network's intermediates by name, each [h, w, c].
      score: a score that the surrogate brings itself.
      head: what the module that was trained along predicts, float32[places].
      label: the true label, of an oracle alone.
      id: int32[], the example's number in the pool.
      rng: a PRNG key of (seed, id), for a policy that draws.
      task: the surrogate's task.
    """

    logits: Leaf = None
    valid: Leaf = None
    features: Leaf = None
    maps: Leaf = None
    score: Leaf = None
    head: Leaf = None
    label: Leaf = None
    id: Leaf = None
    rng: Leaf = None
    task: Task = struct.field(pytree_node=False, default=cast(Task, None))

    def aggregate(self, values: jax.Array, how: str) -> jax.Array:
        """Sum or average one number a place over the places that are valid: float32[]."""
        return self.task.aggregate(values, self.valid, how)


def as_one_model(outputs: Outputs) -> Outputs:
    """Show an ensemble's outputs as one model's, by the mean of the members' probabilities.

    Logits [K, ...] become log mean_k softmax_k, whose softmax is that mean.
    """
    log_p = jax.nn.log_softmax(outputs.logits)
    mean = jax.nn.logsumexp(log_p, axis=0) - jnp.log(outputs.logits.shape[0])
    return replace(outputs, logits=mean)
