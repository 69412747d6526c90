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


@dataclass(frozen=True)
class Trained:
    """What is trained, how, and for which task: all that a compiled step depends on.

    `head` is a module that is trained along, by an optimiser of its own.
    """

    model: Model
    recipe: Recipe
    task: Task
    head: LossPrediction | None = None


@flax.struct.dataclass
class TrainState:
    """All that a training carries from step to step.

    Attributes:
      step, total: the steps done and the number of all, int32[].
      seed: that of the weights and the dropout, int32[].
      params, batch_stats, opt_state: the model's.
      head: {"params", "opt_state"} of a module that is trained along, or {}.
    """

    step: jax.Array
    total: jax.Array
    seed: jax.Array
    params: Any
    batch_stats: Any
    opt_state: Any
    head: dict[str, Any]

    @property
    def variables(self) -> dict[str, Any]:
        """The arrays of the model, and those of the module beside it as "head"."""
        arrays = {"params": self.params, "batch_stats": self.batch_stats}
        return {**arrays, "head": self.head["params"]} if self.head else arrays


def make_initial(trained: Trained) -> Callable[[int, int], TrainState]:
    """Make the jitted (seed, total) -> TrainState: equal weights in every cycle of a seed."""
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


def loss_function(trained: Trained, state: TrainState, batch: dict[str, Any]) -> Callable:
    """Make (params, head's params, batch statistics, part, key) -> a part's share of the batch's
    loss, with what the metrics want and the moved statistics.

    The shares add up to the mean over all labels of the global batch that count, and a head's
    to the mean of its losses of the parts.
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


def gradients(
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
    share = loss_function(trained, state, batch)
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
    """Make the jitted (state, metrics, batch) -> (state, metrics); state and metrics are donated.

    The batch holds uint8 images [B, H, W, C], labels as the task has them, and int32 ids [B].
    """
    head, recipe = trained.head, trained.recipe
    optimise = optimizer(recipe)

    def step(state: TrainState, metrics: Metrics, batch):
        grads, notes, batch_stats = gradients(trained, state, batch)
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
