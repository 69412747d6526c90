"""Semantic segmentation: a class for each pixel, measured by the mean intersection over union."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from salx.infra.errors import RunError
from salx.tasks import Change, Item, Task, cross_entropy, register

IGNORE = 255  # the label of a pixel that is not counted


@register
@dataclass(frozen=True)
class Segmentation(Task):
    """Labels are uint8[B, H, W], a class for each pixel; all but IGNORE count."""

    name = "segmentation"
    metric = "mean IoU"
    unit = "%"
    dense = True

    def move(self, item: Item, image: Change, mask: Change) -> Item:
        """Change the image and, in the same way, its mask."""
        moved = {**item, "image": image(item["image"])}
        if "label" in item:
            moved["label"] = mask(item["label"])
        return moved

    def counts(self, label: np.ndarray, classes: int) -> np.ndarray:
        """Count the pixels of each class, int64[classes]."""
        return np.bincount(label[label != IGNORE], minlength=classes)

    def counted(self, labels: jax.Array) -> jax.Array:
        """Tell which pixels count, bool like labels."""
        return labels != IGNORE

    def losses(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Compute each pixel's cross-entropy in nats, float32 like labels; 0 for IGNORE."""
        return cross_entropy.losses(logits, labels, self.counted(labels))

    def valid(self, shape: tuple[int, ...], size: jax.Array | None) -> jax.Array:
        """Tell which pixels of a padded image are image, bool[H, W]; `size` is its (h, w)."""
        if size is None:
            return jnp.ones(shape, bool)
        rows, columns = (jnp.arange(length) < size[axis] for axis, length in enumerate(shape))
        return rows[:, None] & columns

    def predict(
        self, logits: jax.Array, valid: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Give the class of most pixels with its share of them, and the shares of all [C]."""
        hits = jax.nn.one_hot(logits.argmax(-1), logits.shape[-1]) * valid[..., None]
        shares = hits.sum((0, 1)) / jnp.maximum(valid.sum(), 1)
        return shares.argmax(), shares.max(), shares

    def update(self, logits: jax.Array, labels: jax.Array, mask: jax.Array) -> dict[str, jax.Array]:
        """Sum up a batch as `cross_entropy.sums` explains."""
        valid = self.counted(labels) & mask[:, None, None]
        return cross_entropy.sums(logits, labels, self.losses(logits, labels), valid)

    def compute(self, sums: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Give each class's intersection over union, and the mean of those that are somewhere.

        Raises:
          RunError: where no pixel is labelled.
        """
        either = sums["labelled"] + (sums["predicted"] - sums["correct"])
        shares = cross_entropy.shares(sums["correct"], either)
        present = [share for share in shares if share is not None]
        if not present:
            raise RunError("no pixel of the validation split is labelled: nothing can be measured")
        return {
            "value": float(np.mean(present)),
            "classes": shares,
            **cross_entropy.calibration(sums),
        }
