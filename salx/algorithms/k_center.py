"""Greedy k-center, exact and lazy: pick after pick, the row farthest from all centres.

O. Sener and S. Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set
Approach", ICLR 2018; the greedy rule, within twice the optimal radius, is T. Gonzalez's, 1985.
A row's distance to its nearest centre only falls as centres are added, so what was once
computed remains an upper bound, and only rows whose bound may be the largest need a fresh value
(M. Minoux's accelerated greedy, 1978). A round refreshes the rows with the largest bounds, its
candidates, and picks among them for as long as the farthest beats the bounds of all others.

Rows lie over the devices, the list of centres on each. In memory: the rows, the list, 12 bytes
a row, and tiles.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float32, Int, Int32, Int64, Shaped

from salx.algorithms.k_center_state import (
    NOBODY,
    ROWS,
    STATE,
    TILE,
    WHOLE,
    Rows,
    State,
    on_mesh,
    put_rows,
    start,
)
from salx.algorithms.nearest import nearest, squared


def k_center(
    features: Shaped[np.ndarray, "n d"] | Float32[Array, "n d"],
    centres: Shaped[np.ndarray, "L d"],
    count: int,
    name: Callable[[int], str] = str,
    centre_name: Callable[[int], str] = str,
    candidates: int | None = None,
) -> tuple[Int64[np.ndarray, " count"], Float32[np.ndarray, " count"]]:
    """Pick `count` of n rows, each the farthest from `centres` and from the picks before it.

    Pick t is argmax_i min_c |x_i - c|, over the centres c and the picks before t. Ties go to the
    lowest position. Without any centre the first pick is row 0, at distance infinity. A jax.Array
    that is split over the mesh is not copied if it has a multiple of 1024 rows a device.

    Args:
      features: the rows; as numpy, the whole of them on every process. They become float32.
      centres: the centres before the first pick; none is fine.
      count: how many to pick, at most n.
      name: gives the name of the example at a position of `features`, for the error.
      centre_name: the same for a position of `centres`.
      candidates: how many rows a round refreshes on one device, which only bears on speed; None for
        what has proved fast.

    Returns:
      The positions in the order of picking, and the distance that each had to its nearest centre
      when it was picked.

    Raises:
      ValueError: for a `count` below 0 or above n.
      RunError: naming an example whose row is not finite, or beyond 1e18.
    """
    if not 0 <= count <= len(features):
        raise ValueError(f"{count} picks of {len(features)} rows")
    if not count:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    have, wanted = len(centres), len(centres) + count
    rows = put_rows(features, name)
    state = start(rows, centres, count, centre_name)
    if candidates is None:
        total = 2048 if jax.default_backend() == "cpu" else 8192
        candidates = max(256, total // jax.device_count())
    advance = _step(min(candidates, len(rows.ids) // jax.device_count() // 2))
    if not have:
        state = advance(rows, state, 1)
    state = cover()(rows, state)
    while int(state.count) < wanted:
        state = advance(rows, state, wanted)
    picks, radii = (np.asarray(leaf)[have:wanted] for leaf in (state.picks, state.radii))
    return picks.astype(np.int64), np.sqrt(radii)


@functools.cache
def cover() -> Callable:
    """Make the jitted step that compares every row with every centre.

    Returns:
      (rows, state) -> state, whose bounds are then exact.
    """

    def compare(rows: Rows, state: State) -> State:
        def tile(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
            return nearest(*pair, state.centres, 0, state.count, rows.middle)

        width = rows.features.shape[1]
        tiles = rows.features.reshape(-1, TILE, width), state.bound.reshape(-1, TILE)
        bound = lax.map(tile, tiles)
        return state._replace(
            bound=bound.ravel(), compared=jnp.full_like(state.compared, state.count)
        )

    return on_mesh(compare, (ROWS, STATE), STATE, donate=1)


@functools.cache
def _step(candidates: int) -> Callable:
    """Make the jitted (rows, state, wanted) -> state after one round.

    Every round picks, or lowers the largest bound; it stops at `wanted` centres.
    """

    def one(rows: Rows, state: State, wanted) -> State:
        # Barriers keep XLA's fast top_k on CPUs: slices of its result make it a full sort. One
        # for both, a tuple, crashes its compiler on several devices.
        largest = lax.top_k(state.bound, candidates + 1)
        bound, at = (lax.optimization_barrier(leaf) for leaf in largest)
        rest = lax.pmax(bound[-1], "data")
        rest_id = lax.pmin(jnp.where(bound[-1] == rest, rows.ids[at[-1]], NOBODY), "data")
        at = at[:-1][jnp.argsort(state.compared[at[:-1]])]
        mine = _refresh(rows, state, at), rows.ids[at], rows.features[at]
        value, ids, features = (lax.all_gather(leaf, "data", tiled=True) for leaf in mine)
        left = wanted - state.count
        value, order, radii, taken = _greedy(value, ids, features, rest, rest_id, left)
        count = state.count + taken
        value = lax.dynamic_slice_in_dim(value, lax.axis_index("data") * candidates, candidates)
        new = jnp.arange(len(ids))
        new = jnp.where(new < taken, state.count + new, len(state.picks))  # the rest is dropped
        return State(
            bound=state.bound.at[at].set(value),
            compared=state.compared.at[at].set(count),
            centres=state.centres.at[new].set(features[order], mode="drop"),
            picks=state.picks.at[new].set(ids[order], mode="drop"),
            radii=state.radii.at[new].set(radii, mode="drop"),
            count=count,
        )

    return on_mesh(one, (ROWS, STATE, WHOLE), STATE, donate=1)


def _refresh(rows: Rows, state: State, at: Int32[Array, " c"]) -> Float32[Array, " c"]:
    """Compute the true squared distances of a device's rows `at`.

    They are in the order of how many centres they were compared with.
    """

    def tile(at):
        bound, first = state.bound[at], state.compared[at[0]]
        features = rows.features[at]
        return nearest(features, bound, state.centres, first, state.count, rows.middle)

    return lax.map(tile, at.reshape(-1, math.gcd(len(at), 256))).ravel()


def _greedy(
    value: Float32[Array, " c"],
    ids: Int32[Array, " c"],
    features: Float32[Array, "c d"],
    rest: Float32[Array, ""],
    rest_id: Int32[Array, ""],
    budget: Int[Array, ""],
) -> tuple[Float32[Array, " c"], Int32[Array, " c"], Float32[Array, " c"], Int32[Array, ""]]:
    """Pick among candidates for as long as the farthest of them is certain to be the farthest row.

    At equal distance the row with the lowest id comes first. The largest bound of all other rows is
    `rest`, and `rest_id` is the lowest id that another row of that bound may have.

    Returns:
      The candidates' new values; in the order of picking, their positions among the candidates and
      their squared radii; and how many were picked.
    """

    def farthest(value):
        top = value.max()
        return top, jnp.where(value == top, ids, NOBODY).min()

    def sure(state):
        _, top, leader, _, _, taken = state
        return ((top > rest) | ((top == rest) & (leader < rest_id))) & (taken < budget)

    def pick(state):
        value, top, leader, order, radii, taken = state
        at = jnp.argmax(ids == leader)
        value = jnp.minimum(value, squared(features, features[at])).at[at].set(-1)
        order, radii = order.at[taken].set(at), radii.at[taken].set(top)
        return value, *farthest(value), order, radii, taken + 1

    begin = value, *farthest(value), jnp.zeros_like(ids), jnp.zeros_like(value), jnp.int32(0)
    value, _, _, order, radii, taken = lax.while_loop(sure, pick, begin)
    return value, order, radii, taken
