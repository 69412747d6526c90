"""How many operations a network takes, counted from the model itself as it is traced."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


def macs(module: nn.Module, size: tuple[int, int], channels: int = 3) -> int:
    """Count the multiply-accumulates (MACs) that a network takes for one image.

    They are those of convolutions and linear layers. A layer has one for each value of its kernel
    at each position of its output, so the count depends on no formulation of the convolution.
    Other arithmetic is not counted.

    Args:
      module: the network.
      size: (height, width) of the image, in pixels.
      channels: of the image.

    Returns:
      The number of MACs of a forward pass, without dropout. Nothing is computed.
    """
    total = 0

    def count(layer: Callable, args: tuple, kwargs: dict[str, Any], context: Any) -> Any:
        nonlocal total
        out = layer(*args, **kwargs)
        if context.method_name == "__call__" and isinstance(context.module, nn.Conv | nn.Dense):
            kernel = context.module.variables["params"]["kernel"]
            total += out.size // out.shape[-1] * kernel.size
        return out

    image = jax.ShapeDtypeStruct((1, *size, channels), jnp.float32)
    init = functools.partial(module.init, batch_stats=False, dropout=False)
    with nn.intercept_methods(count):
        jax.eval_shape(init, jax.random.key(0), image)
    return total
