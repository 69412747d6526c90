"""Classification: one class for each image, measured by top-1 accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from salx.tasks import Change, Item, Task, cross_entropy, register


@register
@dataclass(frozen=True)
class Classification(Task):
    """Labels are int32[B], a class for each image; all of them count."""

    name = "classification"
    metric = "top-1 accuracy"
    unit = "%"
    dense = False

    def move(self, item: Item, image: Change, mask: Change) -> Item:
        """Change the image; its class stays."""
        return {**item, "image": image(item["image"])}

    def counts(self, label: np.ndarray, classes: int) -> np.ndarray:
        """Count the images of each class, int64[classes]."""
        return np.bincount(np.ravel(label), minlength=classes)

    def counted(self, labels: jax.Array) -> jax.Array:
        """Tell which labels count: all."""
        return jnp.ones(labels.shape, bool)

    def losses(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Compute each image's cross-entropy in nats, float32 like labels."""
        return cross_entropy.losses(logits, labels, self.counted(labels))

    def valid(self, shape: tuple[int, ...], size: jax.Array | None) -> jax.Array:
        """Tell that the image's single position counts, however it is padded: bool[]."""
        return jnp.ones(shape, bool)

    def predict(
        self, logits: jax.Array, valid: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Give the most probable class with its probability, and all probabilities [C]."""
        shares = jax.nn.softmax(logits)
        return shares.argmax(), shares.max(), shares

    def update(self, logits: jax.Array, labels: jax.Array, mask: jax.Array) -> dict[str, jax.Array]:
        """Sum up a batch as `cross_entropy.sums` explains."""
        valid = self.counted(labels) & mask
        return cross_entropy.sums(logits, labels, self.losses(logits, labels), valid)

    def compute(self, sums: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Give the share of right classes, of all images and of those of each class."""
        return {
            "value": float(sums["correct"].sum() / max(sums["n"], 1)),
            "classes": cross_entropy.shares(sums["correct"], sums["labelled"]),
            **cross_entropy.calibration(sums),
        }
