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
    features: np.ndarray | jax.Array,
    centres: np.ndarray,
    count: int,
    name: Callable[[int], str] = str,
    centre_name: Callable[[int], str] = str,
    candidates: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pick `count` of n rows, each the farthest from `centres` and from the picks before it.

    features float32[n, d], numpy (the whole on every process) or a jax.Array; centres
    float32[L, d]. Returns positions int64[count], in the order of picking, and the distances
    float32[count] that each had to its nearest centre when it was picked. Ties go to the lowest
    position. Without any centre the first pick is row 0, at distance infinity.

    `candidates`, of one round on one device, only bears on speed. A jax.Array split over the
    mesh is not copied if it has a multiple of 1024 rows a device. Raises RunError with
    `name(position)` or `centre_name(position)` for a row that is not finite, or beyond 1e18.
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
    advance = step(min(candidates, len(rows.ids) // jax.device_count() // 2))
    if not have:
        state = advance(rows, state, 1)
    state = cover()(rows, state)
    while int(state.count) < wanted:
        state = advance(rows, state, wanted)
    picks, radii = (np.asarray(leaf)[have:wanted] for leaf in (state.picks, state.radii))
    return picks.astype(np.int64), np.sqrt(radii)


@functools.cache
def cover() -> Callable:
    """The jitted (rows, state) -> state after every row was compared with every centre."""

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
def step(candidates: int) -> Callable:
    """The jitted (rows, state, wanted) -> state after a round, which stops at `wanted` centres.

    Every round picks, or lowers the largest bound.
    """

    def one(rows: Rows, state: State, wanted) -> State:
        # Barriers keep XLA's fast top_k on CPUs: slices of its result make it a full sort. One
        # for both, a tuple, crashes its compiler on several devices.
        largest = lax.top_k(state.bound, candidates + 1)
        bound, at = (lax.optimization_barrier(leaf) for leaf in largest)
        rest = lax.pmax(bound[-1], "data")
        rest_id = lax.pmin(jnp.where(bound[-1] == rest, rows.ids[at[-1]], NOBODY), "data")
        at = at[:-1][jnp.argsort(state.compared[at[:-1]])]
        mine = refresh(rows, state, at), rows.ids[at], rows.features[at]
        value, ids, features = (lax.all_gather(leaf, "data", tiled=True) for leaf in mine)
        left = wanted - state.count
        value, order, radii, taken = greedy(value, ids, features, rest, rest_id, left)
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


def refresh(rows: Rows, state: State, at: jax.Array) -> jax.Array:
    """Compute the true squared distances of a device's rows `at`, in the order of how many centres
    they were compared with."""

    def tile(at):
        bound, first = state.bound[at], state.compared[at[0]]
        features = rows.features[at]
        return nearest(features, bound, state.centres, first, state.count, rows.middle)

    return lax.map(tile, at.reshape(-1, math.gcd(len(at), 256))).ravel()


def greedy(
    value: jax.Array,
    ids: jax.Array,
    features: jax.Array,
    rest: jax.Array,
    rest_id: jax.Array,
    budget: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Pick among candidates while the farthest, at equal distance the first, comes before all
    others, of which none is farther than `rest`, and none that far comes before `rest_id`.

    Returns the candidates' new values, and in the order of picking where they stand among the
    candidates, their squared radii, and how many were picked.
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
