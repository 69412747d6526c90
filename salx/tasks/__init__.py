"""Tasks by name: what labels mean, how far a prediction is from them, and what is measured.

A task is one file with a `Task` that registers itself. Nothing else in the package asks which
task it is: what differs between tasks is a method, or `dense`.
"""

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Float32, Int, Shaped, UInt8

from salx.infra.errors import InputError
from salx.infra.registry import Registry

AGGREGATIONS = ("sum", "mean")

AnyArray = Array | np.ndarray  # on the devices, or on the host
Item = dict[str, Any]
Change = Callable[[UInt8[np.ndarray, "..."]], UInt8[np.ndarray, "..."]]
Sums = Mapping[str, Any]  # numpy arrays, and numbers of numpy where an array would be []


@dataclass(frozen=True)
class Task(abc.ABC):
    """Define what a label is, how a prediction is judged, and what is measured.

    A batch of logits is float32[B, ..., C] with labels [B, ...], where `...` are the positions of
    one example that have a label each: none for an image's class, (H, W) for a mask. The shape
    `*labels` of a method's arguments is `B, ...` for a batch and `...` for one example. The dtype
    of labels is the task's choice. Instances have no fields: they are equal by type, and key jit
    caches.

    Attributes:
      name: what configs, files and messages call the task.
      metric: the name of "value" in what `compute` returns, as in "top-1 accuracy".
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
    def counts(self, label: Shaped[ArrayLike, "..."], classes: int) -> Int[np.ndarray, " classes"]:
        """Count the labels of each class.

        Args:
          label: the label of one example, or the labels of many. Those that do not count are left
            out.
          classes: the number of classes.

        Returns:
          The number of labels of each class.
        """

    # On the device: jax, pure functions that are jitted.

    @abc.abstractmethod
    def counted(self, labels: Shaped[AnyArray, "*labels"]) -> Bool[AnyArray, "*labels"]:
        """Tell which labels count.

        Args:
          labels: of a batch or of one example.

        Returns:
          False where a label is to be ignored in the loss and in the metrics.
        """

    @abc.abstractmethod
    def losses(
        self, logits: Float[AnyArray, "*labels classes"], labels: Shaped[AnyArray, "*labels"]
    ) -> Float[Array, "*labels"]:
        """Compute the loss at each label.

        Args:
          logits: of a batch or of one example.
          labels: the true labels at the same positions.

        Returns:
          The losses in float32, 0 where a label does not count.
        """

    def loss(
        self,
        logits: Float[AnyArray, " batch *labels classes"],
        labels: Shaped[AnyArray, " batch *labels"],
    ) -> tuple[Float[AnyArray, " batch"], Float32[AnyArray, " batch"]]:
        """Compute each example's mean loss and its weight, the number of labels that count.

        sum(losses * weights) / sum(weights) is the mean over all labels of the global batch.

        Args:
          logits: of a batch.
          labels: the true labels at the same positions.

        Returns:
          (losses, weights) of the examples; the loss of one without any label that counts is 0.
        """
        over = tuple(range(1, labels.ndim))
        weights = self.counted(labels).sum(over).astype(jnp.float32)
        losses = self.losses(logits, labels).sum(over)
        return losses / jnp.maximum(weights, 1.0), weights

    def correct(
        self, logits: Float[AnyArray, "*labels classes"], labels: Shaped[AnyArray, "*labels"]
    ) -> Bool[AnyArray, "*labels"]:
        """Tell which labels are predicted rightly.

        The share of these among the labels that count is the accuracy in a training's journal.

        Args:
          logits: of a batch or of one example.
          labels: the true labels at the same positions.

        Returns:
          True where the class of the largest logit is the label, false where the label does not
          count.
        """
        return self.counted(labels) & (logits.argmax(-1) == labels)

    @abc.abstractmethod
    def valid(self, shape: tuple[int, ...], size: Int[AnyArray, "2"] | None) -> Bool[Array, "..."]:
        """Tell which of one example's positions are image and not padding.

        Args:
          shape: of the positions: logits [..., C] of one example have the shape `...`.
          size: the (height, width) in pixels of the image within its padding; None if nothing is
            padded.

        Returns:
          An array of that shape.
        """

    def aggregate(
        self, values: Float[AnyArray, "*labels"], valid: Bool[AnyArray, "*labels"], how: str
    ) -> Float[Array, ""]:
        """Reduce the values of one example to one number.

        Args:
          values: one for each position.
          valid: the positions that count; the values elsewhere are ignored.
          how: "sum" or "mean", over the positions that count.

        Returns:
          The number; 0 where no position counts.
        """
        total = jnp.sum(jnp.where(valid, values, 0.0))
        return total if how == "sum" else total / jnp.maximum(jnp.sum(valid), 1)

    @abc.abstractmethod
    def predict(
        self, logits: Float[AnyArray, "*labels classes"], valid: Bool[AnyArray, "*labels"]
    ) -> tuple[Int[Array, ""], Float[Array, ""], Float[Array, " classes"]]:
        """Summarise in one class what a model predicts of one example.

        Args:
          logits: of one example.
          valid: the positions that count, as the method `valid` gives them.

        Returns:
          The class, the confidence in it from 0 to 1, and the shares of all classes, which sum to
          1.
        """

    @abc.abstractmethod
    def update(
        self,
        logits: Float[Array, " batch *labels classes"],
        labels: Shaped[Array, " batch *labels"],
        mask: Bool[Array, " batch"],
    ) -> dict[str, Shaped[Array, "..."]]:
        """Sum up over a batch what `compute` divides.

        Args:
          logits: of the batch.
          labels: the true labels at the same positions.
          mask: false for an example that only fills the batch.

        Returns:
          Arrays by name, "loss" among them; those of all batches are added in float64.
        """

    @abc.abstractmethod
    def compute(self, sums: Sums) -> dict[str, Any]:
        """Divide the sums over a whole split.

        Args:
          sums: the arrays of `update`, added over all batches in float64, as numpy.

        Returns:
          {"value": the metric as a fraction; "classes": a list with the same of each class, None
          for a class that occurs nowhere; "ece": the expected calibration error, or None; "loss":
          the mean loss of the labels that count}.
        """


TASKS: Registry[type[Task]] = Registry(
    "task", "salx.tasks", ("salx.tasks.classification", "salx.tasks.segmentation")
)


def register(task: type[Task]) -> type[Task]:
    """Register a task under its name; for use as the decorator of its class.

    Args:
      task: a class that derives from `Task`.

    Returns:
      The class itself.
    """
    return TASKS.add(task.name, task)


def get(name: str, argument: str = "") -> Task:
    """Return the task of a name.

    Args:
      name: a registered name, an entry point's of the group `salx.tasks`, or `module:Class`.
      argument: the library function's argument that the name came in, for the error.

    Returns:
      An instance.

    Raises:
      InputError: for an unknown name, and for what is no task.
    """
    task = TASKS.get(name, argument)
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise InputError(f"task {name!r}: {task!r} is no class that derives from salx.tasks.Task")
    return task()


def reference(task: Task) -> str:
    """Return the name by which `get` finds a task again.

    Args:
      task: any task, also from outside the package.

    Returns:
      The task's `name`, or `module:Class` where the task is not registered under that name.
    """
    kind = type(task)
    if task.name in TASKS.names() and TASKS.get(task.name) is kind:
        return task.name
    return f"{kind.__module__}:{kind.__qualname__}"
