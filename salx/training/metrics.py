"""What a training tells of its steps, gathered on the devices between lines of the journal."""

from collections.abc import Mapping
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
from clu import metrics as clu_metrics

from salx.infra import mesh


@flax.struct.dataclass
class FirstFailure(clu_metrics.Metric):
    """The first step with a loss that is not finite, and the lowest id of an example with one;
    -1 where there is none."""

    step: jax.Array
    id: jax.Array

    @classmethod
    def empty(cls) -> "FirstFailure":
        """Return no failure."""
        return cls(step=jnp.int32(-1), id=jnp.int32(-1))

    @classmethod
    def from_model_output(
        cls, *, losses: jax.Array, ids: jax.Array, step: jax.Array, **_: Any
    ) -> "FirstFailure":
        """Look at the losses of a step's examples, float32[...], with their ids."""
        failed = ~jnp.isfinite(losses)
        lowest = jnp.where(failed, ids, jnp.iinfo(jnp.int32).max).min().astype(jnp.int32)
        return cls(
            step=jnp.where(failed.any(), step, -1).astype(jnp.int32),
            id=jnp.where(failed.any(), lowest, -1),
        )

    def merge(self, other: "FirstFailure") -> "FirstFailure":
        """Keep the earlier failure."""
        return jax.tree.map(lambda old, new: jnp.where(self.step >= 0, old, new), self, other)

    def compute(self) -> jax.Array:
        """Return int32[2]: step and id."""
        return jnp.stack([self.step, self.id])


@flax.struct.dataclass
class Metrics(clu_metrics.Collection):
    """Since the last line of the journal."""

    loss: clu_metrics.Average.from_output("loss")
    accuracy: clu_metrics.Average.from_output("accuracy")
    learning_rate: clu_metrics.LastValue.from_output("learning_rate")
    failure: FirstFailure


def empty_metrics() -> Metrics:
    """Return metrics of no step, on the devices."""
    return from_notes({})


def noted(metrics: Metrics) -> dict[str, Any]:
    """Return metrics in JSON's types, of which `from_notes` makes equal ones."""
    return {"metrics": [leaf.item() for leaf in jax.tree.leaves(jax.device_get(metrics))]}


def from_notes(notes: Mapping[str, Any]) -> Metrics:
    """Return the metrics of notes, those of no step where there are none of these metrics."""
    leaves, structure = jax.tree.flatten(Metrics.empty())
    values = notes.get("metrics", ())
    values = values if len(values) == len(leaves) else leaves
    arrays = [np.asarray(v, leaf.dtype) for v, leaf in zip(values, leaves, strict=True)]
    return jax.device_put(jax.tree.unflatten(structure, arrays), mesh.replicated())
