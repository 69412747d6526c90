"""The distance to the nearest of many centres: products of matrices say which centres can
matter, differences of coordinates say how far they are.

|x|^2 + |c|^2 - 2 x.c cancels where x lies close to c, so it only serves as a lower bound, less
what float32 may have lost (N. Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
The result is therefore the same however rows and centres are cut into tiles.
"""

import jax
import jax.numpy as jnp
from jax import lax

BLOCK = 512  # centres in one product; a list of centres has room for as many at least


def squared(x: jax.Array, y: jax.Array) -> jax.Array:
    """Compute squared Euclidean distances of float32[..., d] to float32[..., d], by differences."""
    return jnp.sum((x - y) ** 2, axis=-1)


def nearest(
    rows: jax.Array,
    value: jax.Array,
    centres: jax.Array,
    first: jax.Array | int,
    last: jax.Array,
    middle: jax.Array,
) -> jax.Array:
    """Compute the least of `value` and the squared distances to centres[first:last].

    Where the list ends within a block, the block starts earlier: centres before `first` are no
    nearer than `value`.

    Args:
      rows: float32[m, d].
      value: float32[m].
      centres: float32[K, d].
      first, last: int32[].
      middle: float32[d], a point near the middle of all rows, which keeps the bounds tight.

    Returns:
      float32[m].
    """
    lost = 2 * (rows.shape[1] + 4) * jnp.finfo(jnp.float32).eps
    centred = rows - middle
    norms = (1 - lost) * jnp.sum(centred**2, axis=1, keepdims=True)

    def compare(block, value):
        begin = jnp.minimum(first + block * BLOCK, len(centres) - BLOCK)
        few = lax.dynamic_slice_in_dim(centres, begin, BLOCK)
        real = begin + jnp.arange(BLOCK) < last
        moved = few - middle
        lengths = jnp.where(real, (1 - lost) * jnp.sum(moved**2, axis=1), jnp.inf)
        product = jnp.matmul(centred, moved.T, precision=lax.Precision.HIGHEST)
        low = jnp.maximum(norms + lengths - 2 * product, 0)
        # Two plain minima are vectorised on CPUs, an argmin is not.
        least = low.min(axis=1, keepdims=True)
        at = jnp.where(low <= least, jnp.arange(BLOCK), BLOCK).min(axis=1)
        value = jnp.minimum(value, squared(rows, few[at]))
        unsettled = jnp.sum(low < value[:, None], axis=1) > 1
        return settle(rows, value, unsettled, few, real)

    return lax.fori_loop(0, (last - first + BLOCK - 1) // BLOCK, compare, value)


def settle(
    rows: jax.Array, value: jax.Array, unsettled: jax.Array, centres: jax.Array, real: jax.Array
) -> jax.Array:
    """Compare the rows that another centre may be nearer to with every real one of a block of
    centres, one by one, as they are few; return the new values."""

    def one(state):
        value, unsettled = state
        row = jnp.argmax(unsettled)
        value = value.at[row].min(jnp.where(real, squared(rows[row], centres), jnp.inf).min())
        return value, unsettled.at[row].set(False)

    return lax.while_loop(lambda state: state[1].any(), one, (value, unsettled))[0]
