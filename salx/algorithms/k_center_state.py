"""What greedy k-center starts from: rows on their devices, checked, and the list of centres."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from salx.algorithms.nearest import BLOCK
from salx.infra import mesh
from salx.infra.errors import RunError

SPLIT, WHOLE = PartitionSpec("data"), PartitionSpec()
TILE = 1024  # rows compared at once in a pass over all; a device's part is a multiple of it
LIMIT = 1e36  # of a squared norm, so that no squared distance leaves float32
NOBODY = np.iinfo(np.int32).max


class Rows(NamedTuple):
    """The rows to pick from, split over the devices: `features` float32[N, d] and `ids`
    int32[N], their positions, rising on each device, NOBODY where a row only fills up. On every
    device: `middle` float32[d], about the mean.
    """

    features: jax.Array
    ids: jax.Array
    middle: jax.Array


class State(NamedTuple):
    """Split over the devices: `bound` float32[N], no less than a row's squared distance to its
    nearest centre, -1 if it cannot be picked; `compared` int32[N], how many centres it accounts
    for. On every device: `centres` float32[K, d], of which `count` are there; by their place in
    that list `picks` int32[K], positions, and `radii` float32[K], squared.
    """

    bound: jax.Array
    compared: jax.Array
    centres: jax.Array
    picks: jax.Array
    radii: jax.Array
    count: jax.Array


ROWS = Rows(SPLIT, SPLIT, WHOLE)
STATE = State(SPLIT, SPLIT, WHOLE, WHOLE, WHOLE, WHOLE)


def on_mesh(
    function: Callable, inputs: Any, outputs: Any, donate: int | tuple[int, ...] = ()
) -> Callable:
    """Jit a function that sees one device's part of what is split, as `inputs` and `outputs`,
    partition specs, say."""
    devices = mesh.mesh()
    spread = jax.shard_map(
        function, mesh=devices, in_specs=inputs, out_specs=outputs, check_vma=False
    )
    placed = jax.tree.map(lambda spec: NamedSharding(devices, spec), inputs)
    return jax.jit(spread, in_shardings=placed, donate_argnums=donate)


def put_rows(features: np.ndarray | jax.Array, name: Callable[[int], str]) -> Rows:
    """Put the rows on their devices. Raises RunError for one that is not finite or too large.

    Rows from the host are dealt out in turns, so that no device has all of the farthest; a
    jax.Array is taken as it lies, and copied only to fill up its last rows.
    """
    n, width = features.shape
    devices = jax.device_count()
    padded = -(-n // (devices * TILE)) * devices * TILE
    ids = np.where(np.arange(padded) < n, np.arange(padded), NOBODY).astype(np.int32)
    if isinstance(features, jax.Array):
        pad = jax.jit(lambda x: jnp.pad(x, ((0, padded - n), (0, 0))), out_shardings=mesh.split())
        features = pad(features) if padded > n else jax.device_put(features, mesh.split())
    else:
        each = padded // devices

        def rows_of(index: tuple[slice, ...]) -> np.ndarray:
            first = (index[0].start or 0) // each
            mine = np.asarray(features[first::devices], np.float32)
            short = each - len(mine)
            return np.pad(mine, ((0, short), (0, 0))) if short else mine

        features = jax.make_array_from_callback((padded, width), mesh.split(), rows_of)
        ids = ids.reshape(each, devices).T.ravel()
    ids = jax.make_array_from_callback((padded,), mesh.split(), lambda index: ids[index])
    middle, bad = survey()(features, ids, n)
    check(int(bad), name)
    return Rows(features, ids, middle)


@functools.cache
def survey() -> Callable:
    """Return the jitted (features, ids, n) -> the mean of n rows, float32[d], and the first row
    whose squared norm is not below LIMIT, or NOBODY."""

    def look(features, ids, n):
        # Sums of sums: one running sum over a million rows would lose its small digits.
        total = features.reshape(-1, TILE, features.shape[1]).sum(1).sum(0)
        fine = jnp.sum(features**2, axis=1) < LIMIT
        bad = jnp.where(fine, NOBODY, ids).min()
        return jax.lax.psum(total, "data") / n, jax.lax.pmin(bad, "data")

    return on_mesh(look, (SPLIT, SPLIT, WHOLE), (WHOLE, WHOLE))


def check(bad: int, name: Callable[[int], str]) -> None:
    """Raises RunError for the row `bad`, unless it is NOBODY."""
    if bad != NOBODY:
        raise RunError(f"the features of example {name(bad)!r} are not finite, or beyond 1e18")


def start(rows: Rows, centres: np.ndarray, count: int, name: Callable[[int], str]) -> State:
    """Begin with nothing picked, nothing compared, room for `count` picks.

    Raises RunError for a centre that is not finite or too large.
    """
    have, size = len(centres), -(-(len(centres) + count) // BLOCK) * BLOCK
    room = np.zeros((size, rows.features.shape[1]), np.float32)
    room[:have] = centres
    fine = np.einsum("ij,ij->i", room, room) < LIMIT
    check(NOBODY if fine.all() else int(np.argmin(fine)), name)
    return State(
        bound=jnp.where(rows.ids == NOBODY, -1.0, jnp.inf),
        compared=jnp.zeros_like(rows.ids),
        centres=room,
        picks=np.zeros(size, np.int32),
        radii=np.zeros(size, np.float32),
        count=np.int32(have),
    )
