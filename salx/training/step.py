"""One jitted step of training: the state, the loss, the gradients."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flax
import jax
import jax.numpy as jnp

from salx.infra import mesh
from salx.models.loss_prediction import LossPrediction, auxiliary_loss
from salx.models.model import Model, forward, init, init_outputs
from salx.tasks import Task
from salx.training.metrics import Metrics
from salx.training.optimizer import apply_updates, learning_rate, optimizer
from salx.training.recipe import Recipe

Leaf = Any  # an array, or what jax puts in an array's position as it maps over a tree


@dataclass(frozen=True)
class Trained:
    """Describe what is trained, how, and for which task: all that a compiled step depends on.

    Attributes:
      model: the model.
      recipe: how it is trained.
      task: what its labels are.
      head: a module that is trained along, by an optimiser of its own; None for none.
    """

    model: Model
    recipe: Recipe
    task: Task
    head: LossPrediction | None = None


@flax.struct.dataclass
class TrainState:
    """Hold all that a training carries from step to step.

    Attributes:
      step: int32[], the number of steps that are done.
      total: int32[], the number of steps of the whole training.
      seed: int32[], of the weights and the dropout.
      params: the model's parameters, a tree of float32 arrays.
      batch_stats: the model's running means and variances, likewise.
      opt_state: the state of its optimiser.
      head: {"params", "opt_state"} of a module that is trained along, or {}.
    """

    step: Leaf
    total: Leaf
    seed: Leaf
    params: Any
    batch_stats: Any
    opt_state: Any
    head: dict[str, Any]

    @property
    def variables(self) -> dict[str, Any]:
        """Collect the model's arrays, and those of a module that is trained along as "head"."""
        arrays = {"params": self.params, "batch_stats": self.batch_stats}
        return {**arrays, "head": self.head["params"]} if self.head else arrays


def make_initial(trained: Trained) -> Callable[[int, int], TrainState]:
    """Make the jitted function that draws the first state: equal weights in every cycle of a seed.

    Args:
      trained: the model, the recipe and the module that is trained along.

    Returns:
      (seed, total) -> the state at step 0.
    """
    model, head = trained.model, trained.head
    optimise = optimizer(trained.recipe)

    def fresh(seed, total):
        key = jax.random.key(seed)
        variables = init(model, key)
        params, head_state = variables["params"], {}
        if head:
            logits, out = init_outputs(model, variables)
            arrays = head.init(jax.random.fold_in(key, 1), logits, out, dense=trained.task.dense)
            head_state["params"] = arrays["params"]
            head_state["opt_state"] = optimise.init(head_state["params"])
        return TrainState(
            step=jnp.int32(0),
            total=jnp.int32(total),
            seed=jnp.int32(seed),
            params=params,
            batch_stats=variables.get("batch_stats", {}),
            opt_state=optimise.init(params),
            head=head_state,
        )

    return mesh.jit(fresh, f"init {model.label}", runs_once=True)


def _loss_function(trained: Trained, state: TrainState, batch: dict[str, Any]) -> Callable:
    """Make (params, head's params, batch statistics, part, key) -> a part's share of the loss.

    It also gives what the metrics want, and the moved statistics. The shares add up to the mean
    over all labels of the global batch that count, and a head's to the mean of its losses of the
    parts.
    """
    task, head = trained.task, trained.head
    n = jnp.maximum(task.counted(batch["label"]).sum(), 1)
    progress = state.step / state.total

    def share(params, head_params, batch_stats, piece, key):
        variables, labels = {"params": params, "batch_stats": batch_stats}, piece["label"]
        (logits, out), moved = forward(
            trained.model, variables, piece["image"], batch_stats=True, dropout=key
        )
        losses, weights = task.loss(logits, labels)
        counted, loss = task.counted(labels), jnp.sum(losses * weights) / n
        right = jnp.sum(task.correct(logits, labels))
        notes = {"loss": loss, "losses": losses, "ids": piece["id"], "accuracy": right / n}
        if head:
            each = task.losses(logits, labels)
            more = auxiliary_loss(
                head, head_params, logits, out, task.dense, each, counted, progress
            )
            loss += more / trained.recipe.accumulate
        return loss, (notes, moved.get("batch_stats", batch_stats))

    return share


def _gradients(
    trained: Trained, state: TrainState, batch: dict[str, Any]
) -> tuple[tuple, dict[str, Any], Any]:
    """Compute the gradients of the batch's loss.

    Batch normalisation takes the statistics of the global batch, whatever the number of devices.
    Where the batch comes in parts, one after the other, each is normalised by its statistics
    and moves the running ones in its turn, and pairs of learning loss lie within a part.

    Returns:
      The gradients by (params, head's params); what the metrics want; the batch statistics.
    """
    accumulate = trained.recipe.accumulate
    params = state.params, state.head.get("params", {})
    key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    share = _loss_function(trained, state, batch)
    grad = functools.partial(jax.grad(share, argnums=(0, 1), has_aux=True), *params)
    if accumulate == 1:
        grads, (notes, batch_stats) = grad(state.batch_stats, batch, key)
        return grads, notes, batch_stats

    def add(sums, numbered):
        (number, piece), (grads, batch_stats) = numbered, sums
        more, (notes, batch_stats) = grad(batch_stats, piece, jax.random.fold_in(key, number))
        return (jax.tree.map(jnp.add, grads, more), batch_stats), notes

    zeros = jax.tree.map(jnp.zeros_like, params)
    parts = jnp.arange(accumulate), mesh.parts(batch, accumulate)
    (grads, batch_stats), notes = jax.lax.scan(add, (zeros, state.batch_stats), parts)
    sums = {name: notes[name].sum() for name in ("loss", "accuracy")}
    return grads, {**notes, **sums}, batch_stats


def make_step(trained: Trained) -> Callable:
    """Make the jitted step of training, to which state and metrics are donated.

    Batch normalisation takes the statistics of the global batch, whatever the number of devices.

    Args:
      trained: the model, the recipe, the task and the module that is trained along.

    Returns:
      (state, metrics, batch) -> (state, metrics), where the batch holds uint8 images [B, H, W, C]
      as "image", labels as the task has them as "label", and int32[B] numbers of the examples in
      the pool as "id".
    """
    head, recipe = trained.head, trained.recipe
    optimise = optimizer(recipe)

    def step(state: TrainState, metrics: Metrics, batch):
        grads, notes, batch_stats = _gradients(trained, state, batch)
        rate = learning_rate(recipe, state.step, state.total)
        apply = apply_updates(optimise, rate)
        latest = Metrics.single_from_model_output(**notes, step=state.step, learning_rate=rate)
        head_state = {}
        if head:
            head_state = apply(grads[1], state.head["params"], state.head["opt_state"])
        state = state.replace(
            step=state.step + 1,
            batch_stats=batch_stats,
            head=head_state,
            **apply(grads[0], state.params, state.opt_state),
        )
        return state, metrics.merge(latest)

    name = f"train {trained.model.label}" + (" with head" if head else "")
    return mesh.jit(step, name, mesh.Placement(batched=(2,), donate=(0, 1)))
