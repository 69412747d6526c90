"""The loop of training steps, which survives interruptions."""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from salx.data import loader
from salx.data.datasets import Dataset
from salx.data.sources import Source
from salx.infra import mesh, multihost, seeds
from salx.infra.checkpoint import Checkpoints
from salx.infra.errors import RunError, Stopped
from salx.models.model import Model, with_pretrained
from salx.training.metrics import Metrics, empty_metrics, from_notes, noted
from salx.training.step import Trained, TrainState, make_initial, make_step


class Watcher:
    """Follow how a training goes. Every method does nothing; override those that you need."""

    def started(self, step: int, total: int) -> None:
        """Hear where a training begins, or goes on.

        Args:
          step: how many steps are done.
          total: how many steps it has.
        """

    def logged(self, step: int, metrics: dict[str, float]) -> None:
        """Hear the metrics since the last call.

        It is called at every `log_every` steps and at each save, but not at one that SIGTERM asks
        for.

        Args:
          step: how many steps are done.
          metrics: "loss", "accuracy" and "learning_rate".
        """


@dataclass(frozen=True)
class Training:
    """Describe one training: what, on which examples of the pool, from which seed.

    Attributes:
      what: the model, the recipe and the task.
      dataset: whose pool is trained on.
      ids: the numbers of the labelled examples in the pool; their order bears on the batches.
      seed: of the run.
      weights: 0, or the number of a further seed of the weights, for an ensemble's members.
    """

    what: Trained
    dataset: Dataset = field(repr=False)
    ids: Int[np.ndarray, " n"] = field(repr=False)
    seed: int
    weights: int = 0

    @property
    def weight_seed(self) -> int:
        """Derive the seed of the weights and the dropout, apart from that of the batches' order."""
        more = (self.weights,) if self.weights else ()
        return seeds.derive(self.seed, "weights", *more)

    @property
    def total(self) -> int:
        """Count the steps of the training."""
        return self.what.recipe.total_steps(len(self.ids))

    def batches(self, done: int) -> Generator[dict[str, Any], None, None]:
        """Read the batches from a step on.

        Args:
          done: how many steps are done.

        Yields:
          One batch for each step that is left: {"image": uint8[B, H, W, C], "label", "id":
            int32[B]}, where B is this process's portion of the global batch.
        """
        recipe = self.what.recipe
        order = loader.Order(seeds.derive(self.seed, "batches"), recipe.batch, done, self.total)
        stream = loader.TrainStream(
            self.dataset.pool, self.dataset.transforms.train, self.ids, order
        )
        return loader.train_batches(stream, recipe.readers)


class Trainer:
    """Run trainings, and keep the steps that were compiled for them.

    Two trainings of equal models, recipes and modules share them; all are freed with the trainer.
    """

    def __init__(self) -> None:
        self._steps: dict[tuple[str, Trained], Callable] = {}

    def step(self, what: Trained) -> Callable:
        """Return the jitted training step, made at the first call.

        Args:
          what: what is trained; equal ones share a step.

        Returns:
          (state, metrics, batch) -> (state, metrics), as `make_step` explains.
        """
        return self._made(make_step, "step", what)

    def initial(self, what: Trained) -> Callable[[int, int], TrainState]:
        """Return the jitted function that draws the first state, made at the first call.

        Args:
          what: what is trained; equal ones share the function.

        Returns:
          (seed, total) -> the state at step 0, without pretrained weights.
        """
        return self._made(make_initial, "initial", what)

    def _made(self, make: Callable[[Trained], Callable], kind: str, what: Trained) -> Callable:
        # How a training is read and told of changes nothing that is compiled.
        same = replace(what.recipe, threads=0, workers=0, log_every=1, save_every=0)
        key = kind, replace(what, recipe=same)
        if key not in self._steps:
            self._steps[key] = make(what)
        return self._steps[key]

    def fit(
        self, training: Training, checkpoints: Checkpoints, watcher: Watcher | None = None
    ) -> TrainState:
        """Train to the end, or go on from the newest checkpoint.

        The same arguments give the same state, also after interruptions.

        Args:
          training: what is trained, on what.
          checkpoints: where the state is saved, and where it is found after an interruption.
          watcher: hears how it goes; None for nobody.

        Returns:
          The state after the last step.

        Raises:
          RunError: with step and example key, for a loss that is not finite; such a state is never
            saved.
          Stopped: after saving, at the first step after SIGTERM. The journal has no line of it, as
            it would have none without SIGTERM; its metrics go on with the state.
        """
        watcher, recipe = watcher or Watcher(), training.what.recipe
        step_once, total = self.step(training.what), training.total
        state, metrics = self._begin(training, checkpoints)
        done = int(state.step)
        watcher.started(done, total)
        with contextlib.closing(training.batches(done)) as batches:
            for step, batch in enumerate(batches, done + 1):
                state, metrics = step_once(state, metrics, mesh.put(batch))
                stop = multihost.stopping()
                due = recipe.save_every and step % recipe.save_every == 0
                save = step == total or due
                tell = save or step % recipe.log_every == 0
                if tell or stop:
                    values = checked(metrics, training.dataset.pool)
                if tell:
                    watcher.logged(step, values)
                    metrics = empty_metrics()
                if save or stop:
                    checkpoints.save(step, state, None if tell else noted(metrics))
                if stop:
                    raise Stopped
        return state

    def _begin(self, training: Training, checkpoints: Checkpoints) -> tuple[TrainState, Metrics]:
        """Return the state to begin with, and the metrics since the last line of the journal.

        These are the newest checkpoint's, or those of step 0.
        """
        fresh, seed = self.initial(training.what), training.weight_seed
        saved = checkpoints.resume(mesh.abstract(fresh, seed, training.total))
        if saved is None:
            return _start(training.what.model, fresh(seed, training.total)), empty_metrics()
        return saved[0], from_notes(saved[1])


def _start(model: Model, fresh: TrainState) -> TrainState:
    """Return the state at step 0: fresh, or with the model's pretrained weights."""
    variables = {"params": fresh.params, "batch_stats": fresh.batch_stats}
    return fresh.replace(**with_pretrained(model, variables))


def checked(metrics: Metrics, source: Source) -> dict[str, float]:
    """Read the metrics from the devices.

    Args:
      metrics: since the last line of the journal.
      source: the pool, for an example's key.

    Returns:
      The values by name.

    Raises:
      RunError: naming the step and the example, if a loss among them was not finite.
    """
    values = jax.device_get(metrics.compute())
    step, example = values.pop("failure")
    if step >= 0:
        key = source.keys[example]
        raise RunError(f"step {step + 1}: the loss of example {key!r} is not finite")
    return {name: float(value) for name, value in values.items()}
