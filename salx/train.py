"""Training: the state, one jitted step, and the loop that survives interruptions."""

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from clu import metrics as clu_metrics

from salx import models, parallel, peers, seeds, tasks
from salx.checkpoint import Checkpoints
from salx.data import Dataset, Source, loader
from salx.errors import RunError, Stopped
from salx.models import Model
from salx.models.loss_prediction import LossPrediction, auxiliary_loss

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
    linearly over the share `warmup` of the steps and follows `schedule`.
    """

    batch: int
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
    """The first step and example id with a loss that is not finite; -1 where there is none."""

    step: jax.Array
    id: jax.Array

    @classmethod
    def empty(cls):
        return cls(step=jnp.int32(-1), id=jnp.int32(-1))

    @classmethod
    def from_model_output(cls, *, losses, ids, step, **_):
        failed = ~jnp.isfinite(losses)
        first = ids[jnp.argmax(failed)].astype(jnp.int32)
        return cls(
            step=jnp.where(failed.any(), step, -1).astype(jnp.int32),
            id=jnp.where(failed.any(), first, -1),
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
    model: Model, recipe: Recipe, head: LossPrediction | None = None
) -> Callable[[int, int], TrainState]:
    """The jitted (seed, total) -> TrainState: equal weights in every cycle of a seed."""
    optimise = optimizer(recipe)

    def fresh(seed, total):
        key = jax.random.key(seed)
        variables = models.init(model, key)
        params, beside = variables["params"], {}
        if head:
            seen = models.init_outputs(model, variables)
            beside["params"] = head.init(jax.random.fold_in(key, 1), *seen)["params"]
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

    return parallel.jit(fresh, f"init {model.label}", runs_once=True)


def objective(model: Model, head: LossPrediction | None, state: TrainState, batch) -> Callable:
    """The (params, head's params) -> loss, and beside it what the metrics want and the moved
    batch statistics. The loss is the mean over all labels of the global batch that count."""
    key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    labels = batch["label"]

    def loss(params, head_params):
        variables = {"params": params, "batch_stats": state.batch_stats}
        (logits, out), moved = models.forward(model, variables, batch["image"], True, key)
        losses, weights = tasks.cross_entropy(logits, labels)
        counted, mean = tasks.counted(labels), tasks.weighted_mean(losses, weights)
        right = jnp.sum(counted & (logits.argmax(-1) == labels))
        accuracy = right / jnp.maximum(weights.sum(), 1.0)
        seen = {"loss": mean, "losses": losses, "accuracy": accuracy}
        if head:
            each, progress = tasks.pixel_losses(logits, labels), state.step / state.total
            mean += auxiliary_loss(head, head_params, logits, out, each, counted, progress)
        return mean, (seen, moved["batch_stats"])

    return loss


@functools.cache
def train_step(model: Model, recipe: Recipe, head: LossPrediction | None = None) -> Callable:
    """The jitted (state, metrics, batch) -> (state, metrics); state and metrics are donated.

    The batch holds uint8 images [B, H, W, C], labels int32[B] or uint8[B, H, W], and int32 ids
    [B]. A head is trained along, by an optimiser of its own.
    """
    optimise = optimizer(recipe)

    def step(state: TrainState, metrics: Metrics, batch):
        beside = state.head.get("params", {})
        grad = jax.grad(objective(model, head, state, batch), argnums=(0, 1), has_aux=True)
        grads, (seen, stats) = grad(state.params, beside)
        rate = learning_rate(recipe, state.step, state.total)

        def moved(grads, params, opt_state):
            updates, opt_state = optimise.update(grads, opt_state, params)
            updates = jax.tree.map(lambda u: -rate * u, updates)
            return {"params": optax.apply_updates(params, updates), "opt_state": opt_state}

        latest = Metrics.single_from_model_output(
            **seen, ids=batch["id"], step=state.step, learning_rate=rate
        )
        state = state.replace(
            step=state.step + 1,
            batch_stats=stats,
            head=moved(grads[1], beside, state.head["opt_state"]) if head else {},
            **moved(grads[0], state.params, state.opt_state),
        )
        return state, metrics.merge(latest)

    name = f"train {model.label}" + (" with head" if head else "")
    return parallel.jit(step, name, batched=(2,), donate=(0, 1))


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
    fresh, weights = initial(model, recipe, head), seeds.derive(seed, "weights")
    step_once = train_step(model, recipe, head)
    state = checkpoints.restore(parallel.abstract(fresh, weights, total))
    state = state or start(model, fresh(weights, total))
    done = int(state.step)
    watch(done, total, None)
    metrics = empty_metrics()
    with contextlib.closing(batches_of(recipe, dataset, ids, seed, total, done)) as batches:
        for step, batch in enumerate(batches, done + 1):
            state, metrics = step_once(state, metrics, parallel.put(batch))
            stop = peers.stopping()
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
    return fresh.replace(**models.with_pretrained(model, variables))


def empty_metrics() -> Metrics:
    return jax.device_put(Metrics.empty(), parallel.replicated())


def checked(metrics: Metrics, source: Source) -> dict[str, float]:
    """The metrics as floats. Raises RunError if a loss among them was not finite."""
    values = jax.device_get(metrics.compute())
    step, example = values.pop("failure")
    if step >= 0:
        key = source.keys[example]
        raise RunError(f"step {step + 1}: the loss of example {key!r} is not finite")
    return {name: float(value) for name, value in values.items()}
