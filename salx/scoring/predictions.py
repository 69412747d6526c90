"""What a surrogate predicts of each example, noted while it is scored."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from salx.policies.scored import Rows
from salx.surrogates.outputs import Outputs


def predicted(out: Outputs) -> dict[str, jax.Array]:
    """Tell the class of one example, its confidence and the shares of all classes.

    Returns {"class" int32[], "confidence" float32[]} and of a dense task "shares" float32[C]:
    an image's class is the most probable one with its probability, or the one of most of its
    pixels with their share.
    """
    label, confidence, shares = out.task.predict(out.logits, out.valid)
    more = {"shares": shares} if out.task.dense else {}
    return {"class": jnp.int32(label), "confidence": confidence, **more}


class Predictions:
    """Predictions by id, filled in pass by pass.

    Attributes:
      label: int64[n], the class of each example of the pool, -1 where there is none.
      confidence: float32[n].
    """

    def __init__(self, size: int, classes: int):
        self.label, self.confidence = np.full(size, -1), np.zeros(size, np.float32)
        self._shares = np.zeros(classes)

    def note(self, ids: np.ndarray, rows: dict[str, Any]) -> None:
        """Take what `predicted` gave for the examples `ids`."""
        self.label[ids], self.confidence[ids] = rows["class"], rows["confidence"]
        if "shares" in rows:
            self._shares += rows["shares"].sum(0, dtype=np.float64)
        else:
            self._shares += np.bincount(self.label[ids], minlength=len(self._shares))

    def mix(self) -> np.ndarray:
        """Return the share of each class in all predictions, float64[classes]."""
        return self._shares / max(1.0, self._shares.sum())


def split(rows: Rows) -> tuple[Rows, dict[str, Any]]:
    """Part rows into the policy's own and the predictions that were noted with them."""
    return rows["policy"], rows["predicted"]
