"""What a surrogate answers: logits, features, intermediates, scores."""

from dataclasses import replace
from typing import Any, cast

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float

from salx.tasks import AnyArray, Task

Leaf = Any  # an array, or None where it is absent; a policy's `needs` say which are there
OUTPUTS = ("logits", "features", "maps", "score")  # what a policy may need


@struct.dataclass
class Outputs:
    """Hold what a surrogate says of one example; what is absent is None.

    A place is a pixel of a segmentation network's answer, and the image itself of a classifier's,
    which has no axis of places. A surrogate's `forward` gives the same with the batch as first
    axis.

    Attributes:
      logits: float32[(places,) C]; with several passes or members [K, (places,) C].
      valid: bool[places], which places are image and not padding; bool[] of one place.
      features: float32[d], what the last linear layer reads.
      maps: the network's intermediates by name, each [h, w, c].
      score: float32[], a score that the surrogate brings itself.
      head: float32[places], what the module that was trained along predicts.
      label: the true label, of an oracle alone; int32[], or uint8[places] with 255 where none
        counts.
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

    def aggregate(self, values: Float[AnyArray, "*places"], how: str) -> Float[Array, ""]:
        """Sum or average one number for each place over the places that are valid.

        Args:
          values: one for each place.
          how: "sum" or "mean".

        Returns:
          One number for the example.
        """
        return self.task.aggregate(values, self.valid, how)


def as_one_model(outputs: Outputs) -> Outputs:
    """Show an ensemble's outputs as one model's, by the mean of the members' probabilities.

    Args:
      outputs: with logits [K, ...], of K members or passes.

    Returns:
      The same with logits log mean_k softmax(logits_k) [...], whose softmax is that mean.
    """
    log_p = jax.nn.log_softmax(outputs.logits)
    mean = jax.nn.logsumexp(log_p, axis=0) - jnp.log(outputs.logits.shape[0])
    return replace(outputs, logits=mean)
