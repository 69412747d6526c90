"""A function of the user's as a surrogate: images in, logits or features or a score out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from salx.data.image_files import MEAN, STD
from salx.infra.errors import ArgumentError, RunError
from salx.surrogates.outputs import OUTPUTS, Outputs
from salx.surrogates.passes import Passes
from salx.surrogates.surrogate import Batch, Preprocessing, Surrogate
from salx.tasks import Task

Answer = Callable[[np.ndarray], Mapping[str, Any] | np.ndarray]


@dataclass(frozen=True, eq=False)
class Function(Surrogate):
    """Ask a function on the host: images go in as arrays of numpy, and outputs come back so.

    Attributes:
      function: of images uint8[B, H, W, 3], RGB, that gives {"logits": [B, C], "features": [B, d],
        "score": [B]}, any of them, each what becomes an array of numpy; or logits alone.
      task: what it predicts.
      classes: their names, () where nobody tells them.
      preprocessing: the size that images are brought to; the values stay 0..255.
      outputs: which of "logits", "features" and "score" it gives.
      label: its name, for progress and exports.
      origin: {"function": "module:name"}, for the record.
    """

    traceable: ClassVar[bool] = False

    function: Answer = field(repr=False)
    task: Task
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    outputs: frozenset[str] = frozenset({"logits"})
    label: str = "function"
    origin: dict[str, Any] = field(default_factory=dict)

    def forward(self, variables: Any, batch: Batch, passes: Passes, seed: Any) -> Outputs:
        """Call the function on a batch of images.

        Args:
          variables: nothing; the function has its own.
          batch: "image" uint8[B, H, W, 3].
          passes: once.
          seed: not read.

        Returns:
          Its outputs, float32, as arrays of numpy.

        Raises:
          RunError: for an answer with another name in it, without one of `outputs`, or whose length
            is not the batch's.
        """
        images = np.asarray(batch["image"])
        answer = self.function(images)
        if not isinstance(answer, Mapping):
            answer = {"logits": answer}
        for name in answer:
            if name not in OUTPUTS:
                raise RunError(f"surrogate {self.label}: gave {name!r}, not {', '.join(OUTPUTS)}")
        if missing := self.outputs - answer.keys():
            raise RunError(f"surrogate {self.label}: gave no {' and no '.join(sorted(missing))}")
        arrays = {name: np.asarray(answer[name], np.float32) for name in self.outputs}
        for name, array in arrays.items():
            if array.shape[:1] != images.shape[:1]:
                raise RunError(
                    f"surrogate {self.label}: gave {name} of shape {array.shape} for "
                    f"{len(images)} images"
                )
        return Outputs(task=self.task, **cast(Any, arrays))


def of_callable(
    function: Answer,
    task: Task,
    classes: tuple[str, ...],
    size: tuple[int, int] | None,
    outputs: tuple[str, ...],
) -> Function:
    """Make a surrogate of a function.

    Args:
      function: as of Function.
      task: what it predicts.
      classes: their names, () where nobody tells them.
      size: (height, width) in pixels of the middle crop that the function sees of an image.
      outputs: which of "logits", "features" and "score" it gives.

    Returns:
      The surrogate, labelled by the function's name.

    Raises:
      ArgumentError: where `size` is None.
    """
    if size is None:
        raise ArgumentError("size", "{name}: (height, width) must say what the function sees")
    view = {"evaluate": "center_crop", "evaluate_size": size, "evaluate_resize": max(size)}
    name = getattr(function, "__name__", type(function).__name__)
    return Function(
        function=function,
        task=task,
        classes=tuple(classes),
        preprocessing=Preprocessing((*size, 3), MEAN, STD, view),
        outputs=frozenset(outputs),
        label=name,
        origin={"function": f"{getattr(function, '__module__', '')}:{name}"},
    )
