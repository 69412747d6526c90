"""The evaluation on the validation split: metrics as sums, divided only at the end."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from salx.data import loader
from salx.data.datasets import Dataset
from salx.data.options import READ_HERE, Readers
from salx.infra import mesh, multihost
from salx.infra.errors import RunError
from salx.models.model import Model, forward
from salx.tasks import Task


class Evaluator:
    """Measure models on the validation split, and keep the steps that were compiled for them."""

    def __init__(self) -> None:
        self._steps: dict[tuple[Model, Task], Callable] = {}

    def step(self, model: Model, task: Task) -> Callable:
        """Return the jitted step of a model and a task, made at the first call.

        Args:
          model: the model; equal ones share a step.
          task: the task.

        Returns:
          (variables, batch) -> the sums of `task.update` over the labels of the batch.
        """
        if (model, task) not in self._steps:

            def count(variables, batch):
                (logits, _), _ = forward(model, variables, batch["image"])
                return task.update(logits, batch["label"], batch["mask"])

            placed = mesh.Placement(batched=(1,))
            self._steps[model, task] = mesh.jit(count, f"evaluate {model.label}", placed)
        return self._steps[model, task]

    def evaluate(
        self,
        model: Model,
        variables: dict[str, Any],
        dataset: Dataset,
        batch: int,
        readers: Readers = READ_HERE,
    ) -> dict[str, Any]:
        """Measure a model on the validation split.

        Args:
          model: the model.
          variables: its arrays by collection, {"params", "batch_stats"}.
          dataset: whose validation split, transforms and task are used.
          batch: the number of examples in a global batch.
          readers: how many threads and processes read the images.

        Returns:
          What the task computes, as fractions, and "val": how many examples there are.

        Raises:
          RunError: where the mean loss is not finite.
          Stopped: where SIGTERM came.
        """
        source, sums = dataset.val, []
        step = self.step(model, dataset.task)
        stream = loader.EvalStream(
            source, dataset.transforms.evaluate, np.arange(len(source)), batch
        )
        for piece in loader.eval_batches(stream, readers):
            multihost.check_stopping()
            sums.append(step(variables, mesh.put(piece)))
        sums = jax.device_get(sums)
        total = {name: np.sum([each[name] for each in sums], 0, np.float64) for name in sums[0]}
        if not np.isfinite(total["loss"]):
            raise RunError("the loss on the validation split is not finite")
        return {**dataset.task.compute(total), "val": len(source)}
