"""The optimisers and the learning rate: how a training moves the parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

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
    """Make SGD with momentum, whose decay is added to the gradient, as PyTorch's is.

    g = gradient + weight_decay * p and m = g + momentum * m; the step moves p by -rate * m.

    Args:
      recipe: gives `momentum` and `weight_decay`.

    Returns:
      (gradients, params) -> m, without the rate.
    """
    decay = optax.add_decayed_weights(recipe.weight_decay, mask=_decayed)
    return optax.chain(decay, optax.trace(recipe.momentum))


def adamw(recipe: Recipe) -> optax.GradientTransformation:
    """Make Adam with decoupled weight decay: I. Loshchilov and F. Hutter, arXiv 1711.05101.

    The step moves p by -rate * (adam + weight_decay * p), where `adam` is the update of D. Kingma
    and J. Ba, arXiv 1412.6980.

    Args:
      recipe: gives `beta1`, `beta2`, `epsilon` and `weight_decay`.

    Returns:
      (gradients, params) -> adam + weight_decay * p, without the rate.
    """
    adam = optax.scale_by_adam(recipe.beta1, recipe.beta2, recipe.epsilon)
    return optax.chain(adam, optax.add_decayed_weights(recipe.weight_decay, mask=_decayed))


OPTIMIZERS: dict[str, Callable[[Recipe], optax.GradientTransformation]] = {
    "sgd": sgd,
    "adamw": adamw,
}


def _decayed(params: Any) -> Any:
    """Tell which parameters decay: those of more than one axis, no biases or normalisation."""
    return jax.tree.map(lambda p: p.ndim > 1, params)


def optimizer(recipe: Recipe) -> optax.GradientTransformation:
    """Make the recipe's optimiser without its learning rate, which the step multiplies in.

    Args:
      recipe: names the optimiser, and gives its numbers.

    Returns:
      The gradient transformation.
    """
    return OPTIMIZERS[recipe.optimizer](recipe)


def learning_rate(
    recipe: Recipe, step: Int[ArrayLike, ""], total: Int[ArrayLike, ""]
) -> Float[Array, ""]:
    """Compute rate * min(1, (step + 1) / (warmup * total)) * schedule(step / total).

    Args:
      recipe: gives `learning_rate`, `warmup` and `schedule`.
      step: how many steps are done.
      total: how many steps the training has.

    Returns:
      The rate of the next step.
    """
    progress = step / total
    warm = jnp.minimum(1.0, (step + 1) / jnp.maximum(1.0, recipe.warmup * total))
    return recipe.learning_rate * warm * SCHEDULES[recipe.schedule](progress)


def apply_updates(
    optimise: optax.GradientTransformation, rate: Float[ArrayLike, ""]
) -> Callable[[Any, Any, Any], dict[str, Any]]:
    """Make the function that moves parameters by one step.

    Args:
      optimise: the gradient transformation, without the rate.
      rate: the learning rate of this step.

    Returns:
      (gradients, params, opt_state) -> {"params", "opt_state"} after the step.
    """

    def apply(grads: Any, params: Any, opt_state: Any) -> dict[str, Any]:
        updates, opt_state = optimise.update(grads, opt_state, params)
        updates = jax.tree.map(lambda u: -rate * u, updates)
        return {"params": optax.apply_updates(params, updates), "opt_state": opt_state}

    return apply
