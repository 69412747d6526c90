"""The metrics of training steps, gathered on the devices between two lines of the journal."""

from collections.abc import Mapping
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
from clu import metrics as clu_metrics
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, Int32

from salx.infra import mesh
from salx.tasks import AnyArray

Leaf = Any  # an array, or what jax puts in an array's position as it maps over a tree


@flax.struct.dataclass
class FirstFailure(clu_metrics.Metric):
    """Remember the first step with a loss that is not finite, and the lowest id of its examples.

    Attributes:
      step: int32[], the number of steps before it; -1 where there is none.
      id: int32[], the lowest id of an example with such a loss in that step; -1 where there is
        none.
    """

    step: Leaf
    id: Leaf

    @classmethod
    def empty(cls) -> "FirstFailure":
        """Return the metric of no step.

        Returns:
          No failure.
        """
        return cls(step=jnp.int32(-1), id=jnp.int32(-1))

    @classmethod
    def from_model_output(
        cls,
        *,
        losses: Float[AnyArray, "*examples"],
        ids: Int[AnyArray, "*examples"],
        step: Int[ArrayLike, ""],
        **_: Any,
    ) -> "FirstFailure":
        """Look at the losses of one step.

        Args:
          losses: of the step's examples.
          ids: the numbers of these examples in the pool.
          step: how many steps were done before.
          **_: what other metrics are computed from.

        Returns:
          The failure of this step, or none.
        """
        failed = ~jnp.isfinite(losses)
        lowest = jnp.where(failed, ids, jnp.iinfo(jnp.int32).max).min().astype(jnp.int32)
        return cls(
            step=jnp.where(failed.any(), step, -1).astype(jnp.int32),
            id=jnp.where(failed.any(), lowest, -1),
        )

    def merge(self, other: "FirstFailure") -> "FirstFailure":
        """Combine with the metric of later steps.

        Args:
          other: the later one.

        Returns:
          The earlier failure of the two.
        """
        return jax.tree.map(lambda old, new: jnp.where(self.step >= 0, old, new), self, other)

    def compute(self) -> Int32[Array, "2"]:
        """Return the result.

        Returns:
          The step and the id.
        """
        return jnp.stack([self.step, self.id])


@flax.struct.dataclass
class Metrics(clu_metrics.Collection):
    """Gather the metrics of the steps since the last line of the journal.

    Attributes:
      loss: the mean over the steps.
      accuracy: the mean over the steps, as a fraction.
      learning_rate: that of the last step.
      failure: the first loss that is not finite.
    """

    loss: clu_metrics.Average.from_output("loss")
    accuracy: clu_metrics.Average.from_output("accuracy")
    learning_rate: clu_metrics.LastValue.from_output("learning_rate")
    failure: FirstFailure


def empty_metrics() -> Metrics:
    """Return the metrics of no step, on the devices.

    Returns:
      Metrics of which every sum is 0.
    """
    return from_notes({})


def noted(metrics: Metrics) -> dict[str, Any]:
    """Convert metrics to JSON's types, for a checkpoint.

    Args:
      metrics: on the devices.

    Returns:
      {"metrics": the numbers}, of which `from_notes` makes equal metrics.
    """
    return {"metrics": [leaf.item() for leaf in jax.tree.leaves(jax.device_get(metrics))]}


def from_notes(notes: Mapping[str, Any]) -> Metrics:
    """Return the metrics of a checkpoint's notes, on the devices.

    Args:
      notes: what `noted` gave; where these metrics are not in it, they are those of no step.

    Returns:
      The metrics.
    """
    leaves, structure = jax.tree.flatten(Metrics.empty())
    values = notes.get("metrics", ())
    values = values if len(values) == len(leaves) else leaves
    arrays = [np.asarray(v, leaf.dtype) for v, leaf in zip(values, leaves, strict=True)]
    return jax.device_put(jax.tree.unflatten(structure, arrays), mesh.replicated())
