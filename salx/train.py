"""Training: the state, one jitted step, and the loop that survives interruptions."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from clu import metrics as clu_metrics

from salx import models, parallel, peers, seeds
from salx.checkpoint import Checkpoints
from salx.data import Source, loader
from salx.errors import RunError, Stopped
from salx.models import Model

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
    log_every: int
    save_every: int

    def total_steps(self, examples: int) -> int:
        """Steps of a whole training on so many labelled examples."""
        return self.steps or max(1, round(self.epochs * examples / self.batch))


@flax.struct.dataclass
class TrainState:
    """All that a training carries from step to step; `total` is the number of its steps, `seed`
    the one of its weights and its dropout."""

    step: jax.Array
    total: jax.Array
    seed: jax.Array
    params: Any
    batch_stats: Any
    opt_state: Any

    @property
    def variables(self) -> dict:
        return {"params": self.params, "batch_stats": self.batch_stats}


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

    loss: clu_metrics.Average.from_output("losses")
    accuracy: clu_metrics.Accuracy
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
def initial(model: Model, recipe: Recipe) -> Callable[[int, int], TrainState]:
    """The jitted (seed, total) -> TrainState: equal weights in every cycle of a seed."""

    def fresh(seed, total):
        variables = models.init(model, jax.random.key(seed))
        params = variables["params"]
        return TrainState(
            step=jnp.int32(0),
            total=jnp.int32(total),
            seed=jnp.int32(seed),
            params=params,
            batch_stats=variables.get("batch_stats", {}),
            opt_state=optimizer(recipe).init(params),
        )

    return parallel.jit(fresh, f"init {model.label}", runs_once=True)


@functools.cache
def train_step(model: Model, recipe: Recipe) -> Callable:
    """The jitted (state, metrics, batch) -> (state, metrics); state and metrics are donated.

    The batch holds uint8 images [B, H, W, C], int32 labels [B] and int32 ids [B].
    """
    optimise = optimizer(recipe)

    def step(state: TrainState, metrics: Metrics, batch):
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)

        def mean_loss(params):
            variables = {"params": params, "batch_stats": state.batch_stats}
            (logits, _), moved = models.forward(model, variables, batch["image"], True, key)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch["label"])
            return losses.mean(), (losses, logits, moved["batch_stats"])

        grads, (losses, logits, stats) = jax.grad(mean_loss, has_aux=True)(state.params)
        updates, opt_state = optimise.update(grads, state.opt_state, state.params)
        rate = learning_rate(recipe, state.step, state.total)
        updates = jax.tree.map(lambda u: -rate * u, updates)
        metrics = metrics.merge(
            Metrics.single_from_model_output(
                losses=losses,
                logits=logits,
                labels=batch["label"],
                ids=batch["id"],
                step=state.step,
                learning_rate=rate,
            )
        )
        state = state.replace(
            step=state.step + 1,
            params=optax.apply_updates(state.params, updates),
            batch_stats=stats,
            opt_state=opt_state,
        )
        return state, metrics

    return parallel.jit(step, f"train {model.label}", batched=(2,), donate=(0, 1))


def fit(
    model: Model,
    recipe: Recipe,
    source: Source,
    ids: np.ndarray,
    seed: int,
    checkpoints: Checkpoints,
    watch: Callable[[int, int, dict[str, float] | None], None],
) -> TrainState:
    """Trains on the examples `ids`, or goes on from the newest checkpoint, to the end.

    `watch(step, total, metrics)` hears of the start (metrics None) and of every `log_every`
    steps. The same arguments give the same state, also after interruptions. Raises RunError
    with step and example key for a loss that is not finite; such a state is never saved.
    Raises Stopped, after saving, at the first step after SIGTERM.
    """
    total = recipe.total_steps(len(ids))
    order = seeds.derive(seed, "batches")
    batches = loader.training(source, ids, order, recipe.batch, total, recipe.threads)
    fresh, weights = initial(model, recipe), seeds.derive(seed, "weights")
    step_once = train_step(model, recipe)
    state = checkpoints.restore(parallel.abstract(fresh, weights, total), batches)
    state = state or start(model, fresh(weights, total))
    done = int(state.step)
    watch(done, total, None)
    metrics = empty_metrics()
    for step in range(done + 1, total + 1):
        state, metrics = step_once(state, metrics, parallel.put(next(batches)))
        stop = peers.stopping()
        save = stop or step == total or (recipe.save_every and step % recipe.save_every == 0)
        if save or step % recipe.log_every == 0:
            watch(step, total, checked(metrics, source))
            metrics = empty_metrics()
        if save:
            checkpoints.save(step, state, batches)
        if stop:
            raise Stopped
    return state


def start(model: Model, fresh: TrainState) -> TrainState:
    """The state at step 0: fresh, or with the model's pretrained weights."""
    return fresh.replace(**models.with_pretrained(model, fresh.variables))


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
