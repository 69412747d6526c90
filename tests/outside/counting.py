"""A task that the package does not have: how many squares are on an image, as one number.

`tests.outside.counting:load` is its data set, and `tests.outside.counting:Counting` the task.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from salx.data.datasets import Dataset, fingerprint
from salx.tasks import Change, Item, Task

MOST = 6  # squares on an image


@dataclass(frozen=True)
class Counting(Task):
    """Labels are float32[B]; a model's single output is the number itself."""

    name = "counting"
    metric = "exact counts"
    unit = "%"
    dense = False

    def move(self, item: Item, image: Change, mask: Change) -> Item:
        return {**item, "image": image(item["image"])}

    def counts(self, label: np.ndarray, classes: int) -> np.ndarray:
        return np.full(classes, np.size(label))

    def counted(self, labels: jax.Array) -> jax.Array:
        return jnp.ones(labels.shape, bool)

    def losses(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        return jnp.square(logits[..., 0] - labels)

    def correct(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        return jnp.abs(logits[..., 0] - labels) < 0.5

    def valid(self, shape: tuple[int, ...], size: jax.Array | None) -> jax.Array:
        return jnp.ones(shape, bool)

    def predict(
        self, logits: jax.Array, valid: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        return jnp.int32(0), jnp.float32(1), jnp.ones(1)

    def update(self, logits: jax.Array, labels: jax.Array, mask: jax.Array) -> dict[str, jax.Array]:
        return {
            "exact": jnp.sum(mask & self.correct(logits, labels)),
            "loss": jnp.sum(jnp.where(mask, self.losses(logits, labels), 0.0)),
            "n": jnp.sum(mask),
        }

    def compute(self, sums: Mapping[str, np.ndarray]) -> dict[str, Any]:
        n = max(sums["n"], 1)
        value = float(sums["exact"] / n)
        return {"value": value, "classes": [value], "ece": None, "loss": float(sums["loss"] / n)}


class Squares:
    """Grey images [16, 16, 1] with up to MOST bright squares of 3 x 3 pixels."""

    def __init__(self, count: int, seed: int):
        rng = np.random.default_rng(seed)
        corners = np.mgrid[1:15:5, 1:15:5].reshape(2, -1).T
        self.labels = rng.integers(0, MOST + 1, count).astype(np.float32)
        self.images = rng.integers(0, 60, (count, 16, 16, 1), np.uint8)
        for image, label in zip(self.images, self.labels, strict=True):
            for top, left in rng.permutation(corners)[: int(label)]:
                image[top : top + 3, left : left + 3] += 150
        self.keys = [f"squares_{seed}_{index:04d}" for index in range(count)]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"image": self.images[index], "label": self.labels[index]}

    take = __getitem__


def load(pool: int = 300, val: int = 60) -> Dataset:
    """Draw `pool` and `val` images."""
    drawn, held_out = Squares(pool, 0), Squares(val, 1)
    return Dataset(
        name="counting",
        task=Counting(),
        about="bright squares on a dark ground",
        classes=("squares",),
        pool=drawn,
        val=held_out,
        image_shape=(16, 16, 1),
        mean=(0.2,),
        std=(0.2,),
        fingerprint=fingerprint(drawn.keys, drawn.images.tobytes()),
    )
