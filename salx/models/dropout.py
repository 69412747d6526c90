"""Dropout whose masks depend on the example alone, whatever its batch.

A network draws dropout by `flax.linen.Dropout`. With one key it draws a mask for the whole batch,
as in training. Under `per_example` each example is masked by its own key, so that a pass over a
pool gives the same masks for every batch size, order and number of devices.
"""

import contextlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import flax
import flax.linen as nn
import jax
from jaxtyping import Array, Float, Key


@contextlib.contextmanager
def per_example(keys: Key[Array, " batch"]) -> Iterator[None]:
    """Let every Dropout layer that is called within mask each example by that example's key.

    A layer's mask is drawn from the example's key, folded with a hash of the layer's path and
    with how often the layer was called before, as one layer may be called twice.

    Args:
      keys: a typed PRNG key for each example.

    Yields:
      Once. A Dropout layer that is called within raises ValueError where its inputs are not
      [B, ...] for the B keys.
    """
    calls: Counter[tuple[str, ...]] = Counter()

    def masked(layer: Callable, args: tuple, kwargs: dict[str, Any], context: Any) -> Any:
        module = context.module
        called = isinstance(module, nn.Dropout) and context.method_name == "__call__"
        if not called or kwargs.get("rng") is not None:  # the second is a call by `draw`
            return layer(*args, **kwargs)
        kwargs.pop("rng", None)
        return draw(module, *args, **kwargs)

    def draw(
        module: nn.Dropout, inputs: Float[Array, "..."], deterministic: bool | None = None
    ) -> Float[Array, "..."]:
        idle = nn.merge_param("deterministic", module.deterministic, deterministic)
        if idle or module.rate == 0.0:
            return inputs
        if inputs.shape[:1] != keys.shape:
            where = f"{'/'.join(module.path)}: inputs {inputs.shape}"
            raise ValueError(f"dropout by example: {where} are not {keys.shape[0]} examples")
        salt = zlib.crc32("/".join(module.path).encode()) + calls[module.path]
        calls[module.path] += 1
        layer = nn.Dropout(module.rate, module.broadcast_dims, deterministic=False, parent=None)

        def one(x: Float[Array, "*shape"], key: Key[Array, ""]) -> Float[Array, "*shape"]:
            return layer.apply({}, x[None], rng=jax.random.fold_in(key, salt % 2**32))[0]

        return jax.vmap(one)(inputs, keys)

    with nn.intercept_methods(masked):
        yield


def draws(apply: Callable, *args: Any) -> bool:
    """Tell whether a network draws random numbers for dropout.

    Args:
      apply: (*args) -> anything; calls the network with dropout, but without a key for it.
      args: shapes, as `jax.eval_shape` takes them.

    Returns:
      Whether the network asked for that key. Nothing is computed.
    """
    try:
        jax.eval_shape(apply, *args)
    except flax.errors.InvalidRngError:
        return True
    return False
