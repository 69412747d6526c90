"""Classification: one class for each image, measured by top-1 accuracy."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int, Integer, Shaped

from salx.tasks import AnyArray, Change, Item, Sums, Task, cross_entropy, register


@register
@dataclass(frozen=True)
class Classification(Task):
    """Define labels int32[B], one class for each image; all of them count."""

    name = "classification"
    metric = "top-1 accuracy"
    unit = "%"
    dense = False

    def move(self, item: Item, image: Change, mask: Change) -> Item:
        """Change the image; its class stays."""
        return {**item, "image": image(item["image"])}

    def counts(self, label: Integer[ArrayLike, "..."], classes: int) -> Int[np.ndarray, " classes"]:
        """Count the images of each class, int64[classes]."""
        return np.bincount(np.ravel(label), minlength=classes)

    def counted(self, labels: Integer[AnyArray, "*labels"]) -> Bool[AnyArray, "*labels"]:
        """Tell which labels count: all."""
        return jnp.ones(labels.shape, bool)

    def losses(
        self, logits: Float[AnyArray, "*labels classes"], labels: Integer[AnyArray, "*labels"]
    ) -> Float[Array, "*labels"]:
        """Compute each image's cross-entropy in nats, float32 like labels."""
        return cross_entropy.losses(logits, labels, self.counted(labels))

    def valid(self, shape: tuple[int, ...], size: Int[AnyArray, "2"] | None) -> Bool[Array, "..."]:
        """Tell that the image's single position counts, however it is padded: bool[]."""
        return jnp.ones(shape, bool)

    def predict(
        self, logits: Float[AnyArray, " classes"], valid: Bool[AnyArray, ""]
    ) -> tuple[Int[Array, ""], Float[Array, ""], Float[Array, " classes"]]:
        """Return the most probable class, its probability, and the probabilities of all classes."""
        shares = jax.nn.softmax(logits)
        return shares.argmax(), shares.max(), shares

    def update(
        self,
        logits: Float[Array, "batch classes"],
        labels: Integer[Array, " batch"],
        mask: Bool[Array, " batch"],
    ) -> dict[str, Shaped[Array, "..."]]:
        """Sum up a batch as `cross_entropy.sums` explains."""
        valid = self.counted(labels) & mask
        return cross_entropy.sums(logits, labels, self.losses(logits, labels), valid)

    def compute(self, sums: Sums) -> dict[str, Any]:
        """Return the share of images that are predicted rightly, of all and of each class."""
        return {
            "value": float(sums["correct"].sum() / max(sums["n"], 1)),
            "classes": cross_entropy.shares(sums["correct"], sums["labelled"]),
            **cross_entropy.calibration(sums),
        }
