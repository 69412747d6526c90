"""What a surrogate predicts of each example, noted while it is scored."""

import jax.numpy as jnp
import numpy as np

from salx.policies import Policy


def informed(policy: Policy) -> Policy:
    """The policy with rows [score or features..., class, confidence, shares...].

    An image's class is the most probable one with its probability, or the one of most of its
    pixels with their share; the shares of all classes [C] come from pixels alone.
    """

    def example(out):
        label, confidence, shares = out["task"].predict(out["logits"], out["valid"])
        more = (shares,) if out["task"].dense else ()
        guess = jnp.stack([label.astype(jnp.float32), confidence])
        return jnp.concatenate([jnp.ravel(policy.example(out)), guess, *more])

    return policy._replace(example=example)


class Guesses:
    """Predictions by id, filled in pass by pass: "label" int64[n], -1 where there is none,
    and "confidence" float32[n]."""

    def __init__(self, size: int, classes: int, pixels: bool):
        self.label, self.confidence = np.full(size, -1), np.zeros(size, np.float32)
        self.classes, self.pixels = classes, pixels
        self.shares = np.zeros(classes)

    def split(self, ids: np.ndarray, rows: np.ndarray, scores: bool) -> np.ndarray:
        """Takes the predictions for `ids` out of rows as of `informed`; returns what the policy
        itself gave: `scores` [n], or features [n, d]."""
        own = rows.shape[1] - 2 - (self.classes if self.pixels else 0)
        self.label[ids], self.confidence[ids] = rows[:, own], rows[:, own + 1]
        if self.pixels:
            self.shares += rows[:, own + 2 :].sum(0, np.float64)
        else:
            self.shares += np.bincount(self.label[ids], minlength=self.classes)
        return rows[:, 0] if scores else np.ascontiguousarray(rows[:, :own])

    def mix(self) -> np.ndarray:
        """The share of each class in all predictions, float64[classes]."""
        return self.shares / max(1.0, self.shares.sum())
