"""The distance to the nearest of many centres, exact and fast.

Products of matrices say which centres can matter, differences of coordinates say how far they
are. |x|^2 + |c|^2 - 2 x.c cancels where x lies close to c, so it only serves as a lower bound,
less what float32 may have lost (N. Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
The result is therefore the same however rows and centres are cut into tiles.
"""

import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float32, Int

BLOCK = 512  # centres in one product; a list of centres has room for as many at least


def squared(x: Float32[Array, "*#n d"], y: Float32[Array, "*#n d"]) -> Float32[Array, "..."]:
    """Compute squared Euclidean distances by differences: sum_i (x_i - y_i)^2.

    Args:
      x: points.
      y: points; the leading axes are broadcast against those of `x`.

    Returns:
      One number for each pair of points.
    """
    return jnp.sum((x - y) ** 2, axis=-1)


def nearest(
    rows: Float32[Array, "m d"],
    value: Float32[Array, " m"],
    centres: Float32[Array, "K d"],
    first: Int[ArrayLike, ""],
    last: Int[ArrayLike, ""],
    middle: Float32[Array, " d"],
) -> Float32[Array, " m"]:
    """Compute the least of `value` and the squared distances to centres[first:last].

    Where the list ends within a block, the block starts earlier: centres before `first` are no
    nearer than `value`.

    Args:
      rows: the points.
      value: the squared distance of each to the nearest of centres[:first], or more.
      centres: the list, of which the first `last` are filled in; K is at least BLOCK.
      first: the first centre to compare with.
      last: the end of the centres to compare with.
      middle: a point near the middle of all rows, which keeps the bounds tight.

    Returns:
      min(value, min_c |row - c|^2) of each row.
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
        return _settle(rows, value, unsettled, few, real)

    return lax.fori_loop(0, (last - first + BLOCK - 1) // BLOCK, compare, value)


def _settle(
    rows: Float32[Array, "m d"],
    value: Float32[Array, " m"],
    unsettled: Bool[Array, " m"],
    centres: Float32[Array, "block d"],
    real: Bool[Array, " block"],
) -> Float32[Array, " m"]:
    """Return the new values of the rows that another centre of a block may be nearer to.

    Each is compared with every real centre of the block, one row at a time, as they are few.
    """

    def one(state):
        value, unsettled = state
        row = jnp.argmax(unsettled)
        value = value.at[row].min(jnp.where(real, squared(rows[row], centres), jnp.inf).min())
        return value, unsettled.at[row].set(False)

    return lax.while_loop(lambda state: state[1].any(), one, (value, unsettled))[0]
