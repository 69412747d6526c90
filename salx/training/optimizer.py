"""How a training moves the parameters: the optimisers, the learning rate."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from salx.training.recipe import Recipe

# The learning rate's factor as a function of progress in [0, 1). The step count is an argument
# of the jitted step, so that cycles of all sizes share one compilation.
SCHEDULES: dict[str, Callable] = {
    "constant": jnp.ones_like,
    "cosine": lambda t: 0.5 * (1 + jnp.cos(jnp.pi * t)),
    "poly": lambda t: (1 - t) ** 0.9,
    "thirds": lambda t: 0.1 ** jnp.floor(3 * t),
}


def sgd(recipe: Recipe) -> optax.GradientTransformation:
    """Momentum SGD; the decay is added to the gradient, as PyTorch's does."""
    decay = optax.add_decayed_weights(recipe.weight_decay, mask=decayed)
    return optax.chain(decay, optax.trace(recipe.momentum))


def adamw(recipe: Recipe) -> optax.GradientTransformation:
    """Adam with decoupled weight decay: I. Loshchilov and F. Hutter, arXiv 1711.05101."""
    adam = optax.scale_by_adam(recipe.beta1, recipe.beta2, recipe.epsilon)
    return optax.chain(adam, optax.add_decayed_weights(recipe.weight_decay, mask=decayed))


OPTIMIZERS: dict[str, Callable[[Recipe], optax.GradientTransformation]] = {
    "sgd": sgd,
    "adamw": adamw,
}


def decayed(params: Any) -> Any:
    """Tell which parameters decay: those of more than one axis, no biases or normalisation."""
    return jax.tree.map(lambda p: p.ndim > 1, params)


def optimizer(recipe: Recipe) -> optax.GradientTransformation:
    """Make the recipe's optimiser without its learning rate, which the step multiplies in."""
    return OPTIMIZERS[recipe.optimizer](recipe)


def learning_rate(recipe: Recipe, step: jax.Array, total: jax.Array) -> jax.Array:
    """Compute rate * min(1, (step + 1) / (warmup * total)) * schedule(step / total)."""
    progress = step / total
    warm = jnp.minimum(1.0, (step + 1) / jnp.maximum(1.0, recipe.warmup * total))
    return recipe.learning_rate * warm * SCHEDULES[recipe.schedule](progress)


def apply_updates(
    optimise: optax.GradientTransformation, rate: jax.Array
) -> Callable[[Any, Any, Any], dict[str, Any]]:
    """Return (gradients, params, opt_state) -> {"params", "opt_state"} after one step."""

    def apply(grads: Any, params: Any, opt_state: Any) -> dict[str, Any]:
        updates, opt_state = optimise.update(grads, opt_state, params)
        updates = jax.tree.map(lambda u: -rate * u, updates)
        return {"params": optax.apply_updates(params, updates), "opt_state": opt_state}

    return apply
