"""How many operations a network takes, counted from the model itself as it is traced."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp


def macs(module: nn.Module, size: tuple[int, int], channels: int = 3) -> int:
    """Multiply-accumulates of convolutions and linear layers for one image [*size, channels].

    A layer has one for each value of its kernel at each place of its output, so the count
    depends on no formulation of the convolution. Other arithmetic is not counted.
    """
    total = 0

    def count(layer: Callable, args, kwargs, context):
        nonlocal total
        out = layer(*args, **kwargs)
        if context.method_name == "__call__" and isinstance(context.module, nn.Conv | nn.Dense):
            kernel = context.module.variables["params"]["kernel"]
            total += out.size // out.shape[-1] * kernel.size
        return out

    image = jax.ShapeDtypeStruct((1, *size, channels), jnp.float32)
    with nn.intercept_methods(count):
        jax.eval_shape(functools.partial(module.init, train=False), jax.random.key(0), image)
    return total
