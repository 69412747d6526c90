"""The one module that knows about devices: a mesh, how batches lie on it, and gathers.

All parallelism is data parallelism under `jax.jit` over one named axis: batches are split over
"data", everything else is replicated. Under jit a mean over the batch is the global mean, so
losses and batch statistics do not depend on the number of devices. A batch that does not fit goes
through a step in parts.
"""

import collections
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from salx.infra.errors import InputError

# A pytree of arrays: what a step takes or gives.
Tree = TypeVar("Tree")


@functools.cache
def mesh() -> Mesh:
    """Make the mesh of all devices of all processes along the axis "data".

    Returns:
      The mesh, the same object at every call.
    """
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def split() -> NamedSharding:
    """Make the sharding that splits the leading axis over the devices.

    Returns:
      The sharding on `mesh()`.
    """
    return NamedSharding(mesh(), PartitionSpec("data"))


def replicated() -> NamedSharding:
    """Make the sharding in which every device holds the whole array.

    Returns:
      The sharding on `mesh()`.
    """
    return NamedSharding(mesh(), PartitionSpec())


def put(batch: Tree) -> Tree:
    """Turn the local portion of a batch into what a jitted step takes for the whole.

    Where there is one process its portion is the whole, and the step itself sends it soonest.

    Args:
      batch: a tree of numpy arrays [B / processes, ...].

    Returns:
      The same tree of arrays [B, ...], split over the devices; with one process, `batch` itself.
    """
    if jax.process_count() == 1:
        return batch
    globally = functools.partial(jax.make_array_from_process_local_data, split())
    return jax.tree.map(globally, batch)


def gather(tree: Tree) -> Tree:
    """Collect global arrays on every process.

    Args:
      tree: a tree of global arrays, or of what `put` gave.

    Returns:
      The same tree of whole numpy arrays.
    """
    if jax.process_count() == 1:
        return jax.tree.map(np.asarray, tree)
    return multihost_utils.process_allgather(tree, tiled=True)


def parts(batch: Tree, count: int) -> Tree:
    """Divide a batch into parts, each split over the devices; for use within a jitted step.

    Part k has the examples k, k + count, ...: on any number of devices the same ones, of which none
    has to move.

    Args:
      batch: a tree of arrays [B, ...].
      count: how many parts; it divides B.

    Returns:
      The same tree of arrays [count, B / count, ...].
    """
    split_parts = NamedSharding(mesh(), PartitionSpec(None, "data"))

    def dealt(array: jax.Array) -> jax.Array:
        array = array.reshape(-1, count, *array.shape[1:]).swapaxes(0, 1)
        return jax.lax.with_sharding_constraint(array, split_parts)

    return jax.tree.map(dealt, batch)


def check_batch(field: str, size: int, count: int = 1) -> None:
    """Check that each of a global batch's parts can be split evenly over the devices.

    Args:
      field: the config's field that has the size, such as `train.batch`.
      size: examples in the global batch.
      count: in how many parts it goes through a step.

    Raises:
      InputError: names the field, if it cannot.
    """
    if size % (jax.device_count() * count):
        each = f" in each of {count} parts" if count > 1 else ""
        raise InputError(
            f"config.{field}={size} must be a multiple of the {jax.device_count()} devices{each}"
        )


# How often each step was traced in this process: {"train res8": 1, ...}.
traces: collections.Counter[str] = collections.Counter()


@dataclass(frozen=True)
class Placement:
    """Describe where the arguments and the result of a jitted function lie.

    Attributes:
      batched: the positions of the arguments that are split over the devices along their leading
        axis; all others are replicated.
      donate: the positions of the arguments whose memory the result may take.
      split_output: whether the result is split as well, rather than replicated.
    """

    batched: tuple[int, ...] = ()
    donate: tuple[int, ...] = ()
    split_output: bool = False


REPLICATED = Placement()


def jit(
    function: Callable[..., Any],
    name: str,
    placement: Placement = REPLICATED,
    runs_once: bool = False,
) -> Callable[..., Any]:
    """Jit a function on the mesh, and count its traces in `traces`.

    Args:
      function: a pure function of positional arguments.
      name: what its traces are counted under.
      placement: where its arguments and its result lie.
      runs_once: compile it without optimisation on CPUs. XLA would spend ten times as long on the
        random numbers of initial weights as it takes to draw them.

    Returns:
      The jitted function.
    """
    hurry = runs_once and jax.default_backend() == "cpu"

    @functools.wraps(function)
    def counted(*args: Any) -> Any:
        traces[name] += 1
        return function(*args)

    count = len(inspect.signature(function).parameters)
    return jax.jit(
        counted,
        in_shardings=tuple(
            split() if i in placement.batched else replicated() for i in range(count)
        ),
        out_shardings=split() if placement.split_output else replicated(),
        donate_argnums=placement.donate,
        compiler_options={"xla_backend_optimization_level": 0} if hurry else None,
    )


def abstract(jitted: Any, *args: Any) -> Any:
    """Infer the shapes, dtypes and placement of a jitted function's result, without running it.

    Args:
      jitted: what `jit` or `jax.jit` gave; its result is taken to be replicated.
      *args: the function's arguments, or their shapes and dtypes.

    Returns:
      The result's tree, of jax.ShapeDtypeStruct.
    """
    laid = functools.partial(jax.ShapeDtypeStruct, sharding=replicated())
    return jax.tree.map(lambda leaf: laid(leaf.shape, leaf.dtype), jitted.eval_shape(*args))
