"""Predictions of a surrogate, noted for each example while it is scored."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64, Int, Shaped

from salx.policies.scored import Rows
from salx.surrogates.outputs import Outputs


def predicted(out: Outputs) -> dict[str, Shaped[Array, "..."]]:
    """Tell the class of one example, the confidence in it, and the shares of all classes.

    An image's class is the most probable one with its probability, or the one of most of its pixels
    with their share.

    Args:
      out: the outputs of one model for one example.

    Returns:
      {"class": int32[], "confidence": float32[]} and, of a dense task, "shares": float32[C].
    """
    label, confidence, shares = out.task.predict(out.logits, out.valid)
    more = {"shares": shares} if out.task.dense else {}
    return {"class": jnp.int32(label), "confidence": confidence, **more}


class Predictions:
    """Hold predictions by id, filled in pass by pass.

    Args:
      size: how many examples the pool has.
      classes: how many classes there are.

    Attributes:
      label: int64[size], the class of each example of the pool, -1 where there is none.
      confidence: float32[size], from 0 to 1; 0 where there is no class.
    """

    def __init__(self, size: int, classes: int):
        self.label, self.confidence = np.full(size, -1), np.zeros(size, np.float32)
        self._shares = np.zeros(classes)

    def note(self, ids: Int[np.ndarray, " m"], rows: dict[str, Any]) -> None:
        """Take what `predicted` gave for some examples.

        Args:
          ids: their numbers in the pool.
          rows: the fields of `predicted`, stacked along a first axis [m].
        """
        self.label[ids], self.confidence[ids] = rows["class"], rows["confidence"]
        if "shares" in rows:
            self._shares += rows["shares"].sum(0, dtype=np.float64)
        else:
            self._shares += np.bincount(self.label[ids], minlength=len(self._shares))

    def mix(self) -> Float64[np.ndarray, " classes"]:
        """Compute the share of each class in all predictions.

        Returns:
          Fractions that sum to 1; zeros where nothing was predicted.
        """
        return self._shares / max(1.0, self._shares.sum())


def split(rows: Rows) -> tuple[Rows, dict[str, Any]]:
    """Separate a policy's rows from the predictions that were noted with them.

    Args:
      rows: of a question with `predictions`.

    Returns:
      The policy's rows, and the fields of `predicted`.
    """
    return rows["policy"], rows["predicted"]
