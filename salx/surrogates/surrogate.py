"""What a surrogate is: whoever answers for an example.

A kind of surrogate is one file: a subclass of Surrogate and a loader that registers itself
(see salx.surrogates.kinds), also outside of this package.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from salx.data.datasets import Dataset, transformed
from salx.surrogates.outputs import Outputs
from salx.surrogates.passes import Once, Passes
from salx.tasks import Task

Batch = Mapping[str, Any]  # "image" uint8[B, H, W, C] or "key" [B], "id" int32[B], ...


@dataclass(frozen=True)
class Preprocessing:
    """Describe how images reach a surrogate.

    Attributes:
      shape: (H, W, C) of what it sees.
      mean: of each channel, in units of the pixel range 0..1.
      std: of each channel, in the same units.
      transform: the evaluation's fields of `config.transform`; empty for images as they are.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def applied(self, dataset: Dataset) -> Dataset:
        """Bring a data set's images to what the surrogate sees, as when it was evaluated.

        Where it was evaluated on images as they are, images of another size are brought to its
        size: by a middle crop, or of dense tasks by fitting the whole image.

        Args:
          dataset: the images as they are.

        Returns:
          The data set with this evaluation transform.
        """
        view = {k: v for k, v in self.transform.items() if k.startswith("evaluate")}
        if view.get("evaluate", "none") == "none" and dataset.image_shape != self.shape:
            crop = {"evaluate": "center_crop", "evaluate_resize": max(self.shape[:2])}
            view = {"evaluate": "fit"} if dataset.task.dense else crop
            view |= {"evaluate_size": self.shape[:2]}
        # Nothing is trained, whatever the sizes.
        return transformed(dataset, {**view, "train": "pad_crop", "size": self.shape[:2]})


class Surrogate(ABC):
    """Answer for examples: a model, several, a table or a function does.

    Class attributes:
      traceable: whether `forward` is a pure function of arrays, so that it is fused with the
        policy into one jitted, sharded step; any other is asked on the host.
      reads: "images", or "keys" alone, as a table does.

    Attributes:
      label: a short name, for progress and exports.
      task: what it predicts, classification or segmentation.
      classes: the names of the classes, () where nobody tells them.
      preprocessing: how images reach it; None of one that reads keys.
      origin: JSON values that go into the record: what it is, with a digest.
      outputs: which of "logits", "features", "maps" and "score" it gives.
    """

    traceable: ClassVar[bool] = True
    reads: ClassVar[str] = "images"

    label: str
    task: Task
    classes: tuple[str, ...]
    preprocessing: Preprocessing | None
    origin: dict[str, Any]
    outputs: frozenset[str]

    @abstractmethod
    def forward(self, variables: Any, batch: Batch, passes: Passes, seed: Any) -> Outputs:
        """Answer for a batch.

        Args:
          variables: `self.variables`, as an argument so that a jitted step does not hold them.
          batch: what it reads, "image" uint8[B, H, W, C] or "key" [B], and "id" int32[B].
          passes: how often it is asked; with several, logits are [K, B, ...].
          seed: int32[], for passes that draw.

        Returns:
          Outputs whose arrays have the batch as first axis, behind that of the passes.
        """

    @property
    def variables(self) -> Any:
        """Return the arrays that `forward` depends on, a pytree."""
        return ()

    @property
    def trace_key(self) -> Any:
        """Return a hashable value: two surrogates with equal ones have the same `forward`."""
        return self

    @property
    def leading(self) -> bool:
        """Tell whether several models answer, so that logits are [K, B, ...], one entry a model."""
        return False

    @property
    def classifier(
        self,
    ) -> tuple[Float[np.ndarray, "d classes"], Float[np.ndarray, " classes"]] | None:
        """Return (W, b) of a last linear layer, logits = features W + b; None without one."""
        return None

    @property
    def head(self) -> tuple[str, Mapping[str, Any]] | None:
        """Return name and options of the policy whose module was trained along, if one was."""
        return None

    def runs(self, passes: Passes) -> bool:
        """Tell whether it can be asked so; by default once.

        Args:
          passes: what a policy needs.

        Returns:
          Whether `forward` takes them.
        """
        return type(passes) is Once

    def class_names(self) -> tuple[str, ...]:
        """Name the classes.

        Returns:
          Their names, or their numbers where only those can be told.
        """
        return self.classes

    def about(self) -> list[str]:
        """Tell its user what to know of how it is asked; by default nothing.

        Returns:
          Whole lines.
        """
        return []

    def predictions(self) -> bool:
        """Tell whether a class is predicted for each example.

        Returns:
          Whether it gives logits.
        """
        return "logits" in self.outputs
