"""One jitted step of training: the recipe, the state, the metrics, the gradients."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import optax
from clu import metrics as clu_metrics

from salx.infra import mesh
from salx.models import model as networks
from salx.models.loss_prediction import LossPrediction, auxiliary_loss
from salx.models.model import Model
from salx.tasks import Task

# The learning rate's factor as a function of progress in [0, 1). The step count is an argument
# of the jitted step, so that cycles of all sizes share one compilation.
SCHEDULES: dict[str, Callable] = {
    "constant": jnp.ones_like,
    "cosine": lambda t: 0.5 * (1 + jnp.cos(jnp.pi * t)),
    "poly": lambda t: (1 - t) ** 0.9,
    "thirds": lambda t: 0.1 ** jnp.floor(3 * t),
}


class Recipe(NamedTuple):
    """How to train, as in `config.train`; either `steps` or `epochs` is positive.

    SGD with momentum; weight decay spares biases and batch normalisation; the rate climbs
    linearly over the share `warmup` of the steps and follows `schedule`. A batch, the global one
    over all devices, goes through the model in `accumulate` parts.
    """

    batch: int
    accumulate: int
    steps: int
    epochs: float
    learning_rate: float
    schedule: str
    warmup: float
    momentum: float
    weight_decay: float
    threads: int
    workers: int
    log_every: int
    save_every: int

    @property
    def readers(self) -> tuple[int, int]:
        """Threads and worker processes that read ahead, in training and in every other pass."""
        return self.threads, self.workers

    def total_steps(self, examples: int) -> int:
        """Steps of a whole training on so many labelled examples."""
        return self.steps or max(1, round(self.epochs * examples / self.batch))


@flax.struct.dataclass
class TrainState:
    """All that a training carries from step to step; `total` is the number of its steps, `seed`
    the one of its weights and its dropout. `head` holds {"params", "opt_state"} of a module
    that is trained beside the model, or nothing."""

    step: jax.Array
    total: jax.Array
    seed: jax.Array
    params: Any
    batch_stats: Any
    opt_state: Any
    head: dict[str, Any]

    @property
    def variables(self) -> dict:
        own = {"params": self.params, "batch_stats": self.batch_stats}
        return {**own, "head": self.head["params"]} if self.head else own


@flax.struct.dataclass
class FirstFailure(clu_metrics.Metric):
    """The first step with a loss that is not finite, and the lowest id of an example with one;
    -1 where there is none."""

    step: jax.Array
    id: jax.Array

    @classmethod
    def empty(cls):
        return cls(step=jnp.int32(-1), id=jnp.int32(-1))

    @classmethod
    def from_model_output(cls, *, losses, ids, step, **_):
        failed = ~jnp.isfinite(losses)
        lowest = jnp.where(failed, ids, jnp.iinfo(jnp.int32).max).min().astype(jnp.int32)
        return cls(
            step=jnp.where(failed.any(), step, -1).astype(jnp.int32),
            id=jnp.where(failed.any(), lowest, -1),
        )

    def merge(self, other):
        return jax.tree.map(lambda old, new: jnp.where(self.step >= 0, old, new), self, other)

    def compute(self):
        return jnp.stack([self.step, self.id])


@flax.struct.dataclass
class Metrics(clu_metrics.Collection):
    """Since the last line of the journal."""

    loss: clu_metrics.Average.from_output("loss")
    accuracy: clu_metrics.Average.from_output("accuracy")
    learning_rate: clu_metrics.LastValue.from_output("learning_rate")
    failure: FirstFailure


def optimizer(recipe: Recipe) -> optax.GradientTransformation:
    """Momentum SGD without its learning rate, which the step multiplies in."""

    def decayed(params):
        return jax.tree.map(lambda p: p.ndim > 1, params)

    decay = optax.add_decayed_weights(recipe.weight_decay, mask=decayed)
    return optax.chain(decay, optax.trace(recipe.momentum))


def learning_rate(recipe: Recipe, step: jax.Array, total: jax.Array) -> jax.Array:
    """rate * min(1, (step + 1) / (warmup * total)) * schedule(step / total)."""
    progress = step / total
    warm = jnp.minimum(1.0, (step + 1) / jnp.maximum(1.0, recipe.warmup * total))
    return recipe.learning_rate * warm * SCHEDULES[recipe.schedule](progress)


@functools.cache
def initial(
    model: Model, recipe: Recipe, task: Task, head: LossPrediction | None = None
) -> Callable[[int, int], TrainState]:
    """The jitted (seed, total) -> TrainState: equal weights in every cycle of a seed."""
    optimise = optimizer(recipe)

    def fresh(seed, total):
        key = jax.random.key(seed)
        variables = networks.init(model, key)
        params, beside = variables["params"], {}
        if head:
            seen = networks.init_outputs(model, variables)
            beside["params"] = head.init(jax.random.fold_in(key, 1), *seen, task.dense)["params"]
            beside["opt_state"] = optimise.init(beside["params"])
        return TrainState(
            step=jnp.int32(0),
            total=jnp.int32(total),
            seed=jnp.int32(seed),
            params=params,
            batch_stats=variables.get("batch_stats", {}),
            opt_state=optimise.init(params),
            head=beside,
        )

    return mesh.jit(fresh, f"init {model.label}", runs_once=True)


def objective(
    model: Model, head: LossPrediction | None, recipe: Recipe, task: Task, state, batch
) -> Callable:
    """The (params, head's params, batch statistics, part, key) -> a part's share of the batch's
    loss, and beside it what the metrics want and the moved statistics.

    The shares add up to the mean over all labels of the global batch that count, and a head's
    to the mean of its losses of the parts.
    """
    n = jnp.maximum(task.counted(batch["label"]).sum(), 1)
    progress = state.step / state.total

    def share(params, head_params, batch_stats, part, key):
        variables, labels = {"params": params, "batch_stats": batch_stats}, part["label"]
        (logits, out), moved = networks.forward(
            model, variables, part["image"], batch_stats=True, dropout=key
        )
        losses, weights = task.loss(logits, labels)
        counted, loss = task.counted(labels), jnp.sum(losses * weights) / n
        right = jnp.sum(task.correct(logits, labels))
        seen = {"loss": loss, "losses": losses, "ids": part["id"], "accuracy": right / n}
        if head:
            each = task.losses(logits, labels)
            beside = auxiliary_loss(
                head, head_params, logits, out, task.dense, each, counted, progress
            )
            loss += beside / recipe.accumulate
        return loss, (seen, moved.get("batch_stats", {}))

    return share


def gradients(model: Model, head: LossPrediction | None, recipe: Recipe, task: Task, state, batch):
    """Of the batch's loss: by (params, head's params); what the metrics want; the batch statistics.

    Batch normalisation takes the statistics of the global batch, whatever the number of devices.
    Where the batch comes in parts, one after the other, each is normalised by its own statistics
    and moves the running ones in its turn, and pairs of learning loss lie within a part.
    """
    params = state.params, state.head.get("params", {})
    key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    share = objective(model, head, recipe, task, state, batch)
    grad = functools.partial(jax.grad(share, argnums=(0, 1), has_aux=True), *params)
    if recipe.accumulate == 1:
        grads, (seen, batch_stats) = grad(state.batch_stats, batch, key)
        return grads, seen, batch_stats

    def add(sums, numbered):
        (number, part), (grads, batch_stats) = numbered, sums
        more, (seen, batch_stats) = grad(batch_stats, part, jax.random.fold_in(key, number))
        return (jax.tree.map(jnp.add, grads, more), batch_stats), seen

    zeros = jax.tree.map(jnp.zeros_like, params)
    parts = jnp.arange(recipe.accumulate), mesh.parts(batch, recipe.accumulate)
    (grads, batch_stats), seen = jax.lax.scan(add, (zeros, state.batch_stats), parts)
    sums = {name: seen[name].sum() for name in ("loss", "accuracy")}
    return grads, {**seen, **sums}, batch_stats


@functools.cache
def train_step(
    model: Model, recipe: Recipe, task: Task, head: LossPrediction | None = None
) -> Callable:
    """The jitted (state, metrics, batch) -> (state, metrics); state and metrics are donated.

    The batch holds uint8 images [B, H, W, C], labels int32[B] or uint8[B, H, W], and int32 ids
    [B]. A head is trained along, by an optimiser of its own.
    """
    optimise = optimizer(recipe)

    def step(state: TrainState, metrics: Metrics, batch):
        beside = state.head.get("params", {})
        grads, seen, batch_stats = gradients(model, head, recipe, task, state, batch)
        rate = learning_rate(recipe, state.step, state.total)

        def moved(grads, params, opt_state):
            updates, opt_state = optimise.update(grads, opt_state, params)
            updates = jax.tree.map(lambda u: -rate * u, updates)
            return {"params": optax.apply_updates(params, updates), "opt_state": opt_state}

        latest = Metrics.single_from_model_output(**seen, step=state.step, learning_rate=rate)
        state = state.replace(
            step=state.step + 1,
            batch_stats=batch_stats,
            head=moved(grads[1], beside, state.head["opt_state"]) if head else {},
            **moved(grads[0], state.params, state.opt_state),
        )
        return state, metrics.merge(latest)

    name = f"train {model.label}" + (" with head" if head else "")
    return mesh.jit(step, name, mesh.Placement(batched=(2,), donate=(0, 1)))


def empty_metrics() -> Metrics:
    return jax.device_put(Metrics.empty(), mesh.replicated())
