"""Tasks by name: what labels mean, how far a prediction is from them, and what is measured.

A task is one file with a `Task` that registers itself. Nothing else in the package asks which
task it is: what differs between tasks is a method, or `dense`.
"""

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from salx.infra.errors import InputError
from salx.infra.registry import Registry

AGGREGATIONS = ("sum", "mean")

Item = dict[str, Any]
Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Task(abc.ABC):
    """What a label is. Instances have no fields: they are equal by type, and key jit caches.

    A batch of logits is float32[B, ..., C] with labels [B, ...], where `...` are the positions
    of one example that have a label each: none for an image's class, (H, W) for a mask. Methods
    with "example" in their text take one example, without the axis B.

    Attributes:
      name: what configs, files and messages call the task.
      metric: what `compute`'s "value" is, as in "top-1 accuracy".
      unit: the unit in which it is shown, "%" for fractions.
      dense: whether every pixel has a label, which then moves with the image.
    """

    name: ClassVar[str]
    metric: ClassVar[str]
    unit: ClassVar[str]
    dense: ClassVar[bool]

    # On the host: numpy, one example.

    @abc.abstractmethod
    def move(self, item: Item, image: Change, mask: Change) -> Item:
        """Change where an example's pixels lie, and its label with them where it lies on pixels.

        Args:
          item: {"image": uint8[H, W, C], "label": ..., and what else it has}; no label is fine.
          image: changes the image.
          mask: changes in the same way a label that lies on pixels.

        Returns:
          A new item; the fields that do not move are the same.
        """

    @abc.abstractmethod
    def counts(self, label: np.ndarray, classes: int) -> np.ndarray:
        """Count the labels of each class that count, int64[classes]; `label` is one example's,
        or those of many examples."""

    # On the device: jax, pure functions that are jitted.

    @abc.abstractmethod
    def counted(self, labels: jax.Array) -> jax.Array:
        """Tell which labels count, bool like labels; of a batch or of one example."""

    @abc.abstractmethod
    def losses(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Compute the loss at each label, float32 like labels, 0 where it does not count; of a
        batch or of one example."""

    def loss(self, logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute each example's mean loss and its weight, the number of labels that count.

        sum(losses * weights) / sum(weights) is the mean over all labels of the global batch.

        Returns:
          (losses, weights), float32[B] both.
        """
        over = tuple(range(1, labels.ndim))
        weights = self.counted(labels).sum(over).astype(jnp.float32)
        losses = self.losses(logits, labels).sum(over)
        return losses / jnp.maximum(weights, 1.0), weights

    def correct(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """Tell which labels are predicted rightly, bool like labels, false where they do not
        count; the share of these is the accuracy in a training's journal."""
        return self.counted(labels) & (logits.argmax(-1) == labels)

    @abc.abstractmethod
    def valid(self, shape: tuple[int, ...], size: jax.Array | None) -> jax.Array:
        """Tell which of one example's positions are image and not padding, bool[shape].

        Args:
          shape: of the positions: logits [..., C] of one example have the shape `...`.
          size: int32[2], the (h, w) of the image within its padding; None if nothing is padded.
        """

    def aggregate(self, values: jax.Array, valid: jax.Array, how: str) -> jax.Array:
        """Make one number, float32[], of an example's values.

        Args:
          values: float32 [...], one for each position.
          valid: bool [...], the positions that count.
          how: "sum" or "mean", over these.
        """
        total = jnp.sum(jnp.where(valid, values, 0.0))
        return total if how == "sum" else total / jnp.maximum(jnp.sum(valid), 1)

    @abc.abstractmethod
    def predict(
        self, logits: jax.Array, valid: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Say in a word what a model predicts of one example.

        Args:
          logits: float32[..., C].
          valid: bool[...], as `valid` gives them.

        Returns:
          (class int32[], confidence float32[] in 0..1, shares of all classes float32[C]).
        """

    @abc.abstractmethod
    def update(self, logits: jax.Array, labels: jax.Array, mask: jax.Array) -> dict[str, jax.Array]:
        """Sum up over a batch what `compute` divides.

        Args:
          logits: float32[B, ..., C].
          labels: [B, ...].
          mask: bool[B], false for an example that only fills the batch.

        Returns:
          Arrays by name, "loss" among them; those of all batches are added in float64.
        """

    @abc.abstractmethod
    def compute(self, sums: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Divide the sums over a whole split.

        Returns:
          {"value": the metric, a float; "classes": the same of each class, None where it is
          nowhere; "ece": expected calibration error, or None; "loss": the mean}.
        """


TASKS: Registry[type[Task]] = Registry(
    "task", "salx.tasks", ("salx.tasks.classification", "salx.tasks.segmentation")
)


def register(task: type[Task]) -> type[Task]:
    """Make a task known by its name; decorates its class."""
    return TASKS.add(task.name, task)


def get(name: str, argument: str = "") -> Task:
    """Give the task of a name.

    Args:
      name: a registered name, an entry point's of the group `salx.tasks`, or `module:Class`.
      argument: the library function's argument that the name came in, for the error.

    Raises:
      InputError: for an unknown name, and for what is no task.
    """
    task = TASKS.get(name, argument)
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise InputError(f"task {name!r}: {task!r} is no class that derives from salx.tasks.Task")
    return task()


def reference(task: Task) -> str:
    """Give the name by which `get` finds a task again: its own, or `module:Class` where that is
    not registered."""
    kind = type(task)
    if task.name in TASKS.names() and TASKS.get(task.name) is kind:
        return task.name
    return f"{kind.__module__}:{kind.__qualname__}"
