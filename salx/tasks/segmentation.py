"""Semantic segmentation: a class for each pixel, measured by the mean intersection over union."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Integer, Shaped

from salx.infra.errors import RunError
from salx.tasks import AnyArray, Change, Item, Sums, Task, cross_entropy, register

IGNORE = 255  # the label of a pixel that is not counted


@register
@dataclass(frozen=True)
class Segmentation(Task):
    """Define labels uint8[B, H, W], a class for each pixel; all but IGNORE (255) count."""

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

    def counts(
        self, label: Integer[np.ndarray, "..."], classes: int
    ) -> Int[np.ndarray, " classes"]:
        """Count the pixels of each class, int64[classes]."""
        return np.bincount(label[label != IGNORE], minlength=classes)

    def counted(self, labels: Integer[AnyArray, "*labels"]) -> Bool[AnyArray, "*labels"]:
        """Tell which pixels count, bool like labels."""
        return labels != IGNORE

    def losses(
        self, logits: Float[AnyArray, "*labels classes"], labels: Integer[AnyArray, "*labels"]
    ) -> Float[Array, "*labels"]:
        """Compute each pixel's cross-entropy in nats, float32 like labels; 0 for IGNORE."""
        return cross_entropy.losses(logits, labels, self.counted(labels))

    def valid(
        self, shape: tuple[int, ...], size: Int[AnyArray, "2"] | None
    ) -> Bool[Array, "height width"]:
        """Tell which pixels of a padded image are image: those within its (height, width)."""
        if size is None:
            return jnp.ones(shape, bool)
        rows, columns = (jnp.arange(length) < size[axis] for axis, length in enumerate(shape))
        return rows[:, None] & columns

    def predict(
        self, logits: Float[AnyArray, "height width classes"], valid: Bool[AnyArray, "height width"]
    ) -> tuple[Int[Array, ""], Float[Array, ""], Float[Array, " classes"]]:
        """Return the class of most pixels, its share of them, and the shares of all classes."""
        hits = jax.nn.one_hot(logits.argmax(-1), logits.shape[-1]) * valid[..., None]
        shares = hits.sum((0, 1)) / jnp.maximum(valid.sum(), 1)
        return shares.argmax(), shares.max(), shares

    def update(
        self,
        logits: Float[Array, "batch height width classes"],
        labels: Integer[Array, "batch height width"],
        mask: Bool[Array, " batch"],
    ) -> dict[str, Shaped[Array, "..."]]:
        """Sum up a batch as `cross_entropy.sums` explains."""
        valid = self.counted(labels) & mask[:, None, None]
        return cross_entropy.sums(logits, labels, self.losses(logits, labels), valid)

    def compute(self, sums: Sums) -> dict[str, Any]:
        """Return the intersection over union of each class, and its mean over the classes that
        occur.

        Of class c, the intersection is the number of pixels labelled c and predicted as c; the
        union is the number of those labelled c or predicted as c.

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
