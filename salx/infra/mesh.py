"""The one place that knows about devices: a mesh, how batches lie on it, and gathers.

All parallelism is data parallelism under `jax.jit` over one named axis: batches are split over
"data", everything else is replicated. Under jit a mean over the batch is the global mean, so
losses and batch statistics do not depend on the number of devices. A batch that does not fit goes
through a step in parts.
"""

import collections
import functools
import inspect

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from salx.infra.errors import InputError


@functools.cache
def mesh() -> Mesh:
    """All devices of all processes along the axis "data"."""
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def split() -> NamedSharding:
    """The leading axis lies over the devices."""
    return NamedSharding(mesh(), PartitionSpec("data"))


def replicated() -> NamedSharding:
    """Every device holds the whole."""
    return NamedSharding(mesh(), PartitionSpec())


def put(batch):
    """This process's part of a batch, numpy, as what a jitted step takes for the whole.

    Where there is one process its part is the whole, and the step itself places it soonest.
    """
    if jax.process_count() == 1:
        return batch
    place = functools.partial(jax.make_array_from_process_local_data, split())
    return jax.tree.map(place, batch)


def gather(array) -> np.ndarray:
    """A global array, or a process's part as `put` gave it, as numpy on every process."""
    if jax.process_count() == 1:
        return np.asarray(array)
    return multihost_utils.process_allgather(array, tiled=True)


def parts(batch, count: int):
    """A batch's arrays [B, ...] as [count, B / count, ...], each part split over the devices.

    Part k has the examples k, k + count, ...: on any number of devices the same ones, of which
    none has to move.
    """
    split_parts = NamedSharding(mesh(), PartitionSpec(None, "data"))

    def dealt(array):
        array = array.reshape(-1, count, *array.shape[1:]).swapaxes(0, 1)
        return jax.lax.with_sharding_constraint(array, split_parts)

    return jax.tree.map(dealt, batch)


def check_batch(field: str, size: int, count: int = 1) -> None:
    """Raises InputError unless each of a global batch's `count` parts can be split evenly over
    the devices."""
    if size % (jax.device_count() * count):
        each = f" in each of {count} parts" if count > 1 else ""
        raise InputError(
            f"config.{field}={size} must be a multiple of the {jax.device_count()} devices{each}"
        )


# How often each step was traced in this process: {"train res8": 1, ...}.
traces: collections.Counter[str] = collections.Counter()


def jit(function, name: str, batched=(), donate=(), split_output=False, runs_once=False):
    """`jax.jit` on the mesh: the arguments `batched` are split over the devices, all others
    and the result are replicated, unless `split_output`. Counts its traces under `name`.

    What `runs_once` is compiled without optimisation on CPUs: XLA would spend ten times as
    long on the random numbers of initial weights as it takes to draw them.
    """
    hurry = runs_once and jax.default_backend() == "cpu"

    @functools.wraps(function)
    def counted(*args):
        traces[name] += 1
        return function(*args)

    count = len(inspect.signature(function).parameters)
    return jax.jit(
        counted,
        in_shardings=tuple(split() if i in batched else replicated() for i in range(count)),
        out_shardings=split() if split_output else replicated(),
        donate_argnums=donate,
        compiler_options={"xla_backend_optimization_level": 0} if hurry else None,
    )


def abstract(jitted, *args):
    """Shapes, dtypes and placement of what a jitted function returns, without running it."""
    place = functools.partial(jax.ShapeDtypeStruct, sharding=replicated())
    return jax.tree.map(lambda leaf: place(leaf.shape, leaf.dtype), jitted.eval_shape(*args))
