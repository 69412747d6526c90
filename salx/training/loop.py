"""Training: the loop of steps that survives interruptions."""

import contextlib
from collections.abc import Callable, Generator

import jax
import numpy as np

from salx.data import loader
from salx.data.datasets import Dataset, Source
from salx.infra import mesh, multihost, seeds
from salx.infra.checkpoint import Checkpoints
from salx.infra.errors import RunError, Stopped
from salx.models import model as networks
from salx.models.loss_prediction import LossPrediction
from salx.models.model import Model
from salx.training.step import Metrics, Recipe, TrainState, empty_metrics, initial, train_step


def fit(
    model: Model,
    recipe: Recipe,
    dataset: Dataset,
    ids: np.ndarray,
    seed: int,
    checkpoints: Checkpoints,
    watch: Callable[[int, int, dict[str, float] | None], None],
    head: LossPrediction | None = None,
) -> TrainState:
    """Trains on the examples `ids` of the pool, or goes on from the newest checkpoint, to the end.

    `watch(step, total, metrics)` hears of the start (metrics None) and of every `log_every`
    steps. The same arguments give the same state, also after interruptions. Raises RunError
    with step and example key for a loss that is not finite; such a state is never saved.
    Raises Stopped, after saving, at the first step after SIGTERM.
    """
    total = recipe.total_steps(len(ids))
    fresh, weights = initial(model, recipe, dataset.task, head), seeds.derive(seed, "weights")
    step_once = train_step(model, recipe, dataset.task, head)
    state = checkpoints.restore(mesh.abstract(fresh, weights, total))
    state = state or start(model, fresh(weights, total))
    done = int(state.step)
    watch(done, total, None)
    metrics = empty_metrics()
    with contextlib.closing(batches_of(recipe, dataset, ids, seed, total, done)) as batches:
        for step, batch in enumerate(batches, done + 1):
            state, metrics = step_once(state, metrics, mesh.put(batch))
            stop = multihost.stopping()
            save = stop or step == total or (recipe.save_every and step % recipe.save_every == 0)
            if save or step % recipe.log_every == 0:
                watch(step, total, checked(metrics, dataset.pool))
                metrics = empty_metrics()
            if save:
                checkpoints.save(step, state)
            if stop:
                raise Stopped
    return state


def batches_of(
    recipe: Recipe, dataset: Dataset, ids: np.ndarray, seed: int, total: int, done: int
) -> Generator[dict, None, None]:
    """The batches of a training that stands at step `done` of `total`."""
    return loader.training(
        dataset.pool,
        dataset.transforms.train,
        ids,
        seeds.derive(seed, "batches"),
        recipe.batch,
        total,
        done,
        *recipe.readers,
    )


def start(model: Model, fresh: TrainState) -> TrainState:
    """The state at step 0: fresh, or with the model's pretrained weights."""
    variables = {"params": fresh.params, "batch_stats": fresh.batch_stats}
    return fresh.replace(**networks.with_pretrained(model, variables))


def checked(metrics: Metrics, source: Source) -> dict[str, float]:
    """The metrics as floats. Raises RunError if a loss among them was not finite."""
    values = jax.device_get(metrics.compute())
    step, example = values.pop("failure")
    if step >= 0:
        key = source.keys[example]
        raise RunError(f"step {step + 1}: the loss of example {key!r} is not finite")
    return {name: float(value) for name, value in values.items()}
