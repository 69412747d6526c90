"""The state of greedy k-center: rows on their devices, checked, and the list of centres."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float32, Int32, Shaped

from salx.algorithms.nearest import BLOCK
from salx.infra import mesh
from salx.infra.errors import RunError

SPLIT, WHOLE = PartitionSpec("data"), PartitionSpec()
TILE = 1024  # rows compared at once in a pass over all; a device's part is a multiple of it
LIMIT = 1e36  # of a squared norm, so that no squared distance leaves float32
NOBODY = np.iinfo(np.int32).max


class Rows(NamedTuple):
    """Hold the rows to pick from, split over the devices; `middle` is on every device.

    Attributes:
      features: the rows; N is a multiple of TILE times the number of devices.
      ids: their positions, rising on each device, NOBODY where a row only fills up.
      middle: about the mean of the rows.
    """

    features: Float32[Array, "N d"]
    ids: Int32[Array, " N"]
    middle: Float32[Array, " d"]


class State(NamedTuple):
    """Hold what a round of picking reads and writes.

    `bound` and `compared` are split over the devices as the rows are; the rest is on every device.

    Attributes:
      bound: no less than a row's squared distance to its nearest centre, -1 if it cannot be picked.
      compared: how many centres of the list the bound accounts for.
      centres: the list of centres, of which the first `count` are filled in.
      picks: the position of each centre among the rows, for those that were picked.
      radii: the squared distance that each had to its nearest centre when it was picked.
      count: how many centres there are so far.
    """

    bound: Float32[Array, " N"]
    compared: Int32[Array, " N"]
    centres: Float32[Array, "K d"]
    picks: Int32[Array, " K"]
    radii: Float32[Array, " K"]
    count: Int32[Array, ""]


ROWS = Rows(SPLIT, SPLIT, WHOLE)
STATE = State(SPLIT, SPLIT, WHOLE, WHOLE, WHOLE, WHOLE)


def on_mesh(
    function: Callable, inputs: Any, outputs: Any, donate: int | tuple[int, ...] = ()
) -> Callable:
    """Jit a function that is called with the local portion of each array on one device.

    Args:
      function: a pure function of positional arguments.
      inputs: the partition specs of its arguments, a tuple of pytrees.
      outputs: the partition specs of its result.
      donate: the positions of the arguments whose memory the result may take.

    Returns:
      The jitted function of whole arrays.
    """
    devices = mesh.mesh()
    spread = jax.shard_map(
        function, mesh=devices, in_specs=inputs, out_specs=outputs, check_vma=False
    )
    placed = jax.tree.map(lambda spec: NamedSharding(devices, spec), inputs)
    return jax.jit(spread, in_shardings=placed, donate_argnums=donate)


def put_rows(
    features: Shaped[np.ndarray, "n d"] | Float32[Array, "n d"], name: Callable[[int], str]
) -> Rows:
    """Put the rows on their devices, and check them.

    Rows from the host are dealt out in turns, so that no device has all of the farthest; a
    jax.Array is taken as it lies, and copied only to fill up its last rows.

    Args:
      features: the rows, which become float32; as numpy, the whole of them on every process.
      name: gives the name of the example at a position, for the error.

    Returns:
      The rows, filled up to a multiple of TILE on each device.

    Raises:
      RunError: naming the example of a row that is not finite, or beyond 1e18.
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
    middle, bad = _survey()(features, ids, n)
    _check(int(bad), name)
    return Rows(features, ids, middle)


@functools.cache
def _survey() -> Callable:
    """Make the jitted (features, ids, n) -> (mean of the n rows, first bad row or NOBODY).

    A row is bad unless its squared norm is below LIMIT.
    """

    def look(features, ids, n):
        # Sums of sums: one running sum over a million rows would lose its small digits.
        total = features.reshape(-1, TILE, features.shape[1]).sum(1).sum(0)
        fine = jnp.sum(features**2, axis=1) < LIMIT
        bad = jnp.where(fine, NOBODY, ids).min()
        return jax.lax.psum(total, "data") / n, jax.lax.pmin(bad, "data")

    return on_mesh(look, (SPLIT, SPLIT, WHOLE), (WHOLE, WHOLE))


def _check(bad: int, name: Callable[[int], str]) -> None:
    """Raise RunError for the row `bad`, unless it is NOBODY."""
    if bad != NOBODY:
        raise RunError(f"the features of example {name(bad)!r} are not finite, or beyond 1e18")


def start(
    rows: Rows, centres: Shaped[np.ndarray, "L d"], count: int, name: Callable[[int], str]
) -> State:
    """Begin with nothing picked and nothing compared.

    Args:
      rows: what is picked from.
      centres: the points that are centres from the start; they become float32.
      count: how many picks there must be room for.
      name: gives the name of the centre at a position, for the error.

    Returns:
      The state before the first round.

    Raises:
      RunError: naming a centre that is not finite, or beyond 1e18.
    """
    have, size = len(centres), -(-(len(centres) + count) // BLOCK) * BLOCK
    room = np.zeros((size, rows.features.shape[1]), np.float32)
    room[:have] = centres
    fine = np.einsum("ij,ij->i", room, room) < LIMIT
    _check(NOBODY if fine.all() else int(np.argmin(fine)), name)
    return State(
        bound=jnp.where(rows.ids == NOBODY, -1.0, jnp.inf),
        compared=jnp.zeros_like(rows.ids),
        centres=room,
        picks=np.zeros(size, np.int32),
        radii=np.zeros(size, np.float32),
        count=np.int32(have),
    )
