"""Joining of the processes of one launcher, through jax.distributed."""

import importlib.util
import os
from typing import Any, NamedTuple

from salx.infra.errors import InputError

JOIN, HEARTBEAT = 300, 30  # seconds until all have come; until a silent process counts as lost


class Coordinates(NamedTuple):
    """Name where the processes meet, how many they are, and which of them this one is.

    All fields are None where the launcher tells them to jax.

    Attributes:
      coordinator: HOST:PORT of process 0.
      count: how many processes there are.
      index: the number of this one, from 0.
    """

    coordinator: str | None = None
    count: int | None = None
    index: int | None = None

    @property
    def explicit(self) -> bool:
        """Tell whether the user names them.

        Raises:
          InputError: if only some are named, or if they cannot be used.
        """
        if self.coordinator is not None and self.count is not None and self.index is not None:
            host, _, port = self.coordinator.rpartition(":")
            if not (host and port.isdecimal() and len(port) < 6 and 0 < int(port) < 2**16):
                raise InputError(f"--coordinator={self.coordinator[:100]}: must be HOST:PORT")
            if self.index >= self.count:
                raise InputError(f"--process={self.index} must be below --processes={self.count}")
            return True
        if any(value is not None for value in self):
            raise InputError("--coordinator, --processes and --process go together")
        return False


class Joined(NamedTuple):
    """Hold what jax.distributed says of this process.

    Attributes:
      index: its number, from 0.
      count: how many processes there are.
      store: the client of the key-value store that all processes share.
    """

    index: int
    count: int
    store: Any


def launched() -> bool:
    """Tell whether a launcher that jax.distributed supports has started this process as one of
    several.

    Those are Slurm, Kubernetes with indexed jobs, and Cloud TPU, where jax itself sets its
    platforms to the TPU's unless the user has chosen others.

    Returns:
      True where `join` can do without the user's coordinates.
    """
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        return True
    if {"KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"} <= os.environ.keys():
        return True
    if importlib.util.find_spec("libtpu") is None:
        return False
    import jax

    return "tpu" in (jax.config.jax_platforms or "").split(",")


def join(coordinates: Coordinates) -> Joined:
    """Join the other processes, with bounded waits. Comes before any device query.

    Args:
      coordinates: where they meet; without any the launcher says it.

    Returns:
      What jax.distributed says of this process.

    Raises:
      InputError: if they cannot be joined.
    """
    import jax

    # Its sync points need a number that only ever grows, and Orbax would give them its steps.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            coordinates.coordinator,
            coordinates.count,
            coordinates.index,
            cluster_detection_method="deactivate" if coordinates.explicit else None,
            initialization_timeout=JOIN,
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    except (RuntimeError, ValueError) as error:
        raise InputError(f"cannot join the other processes: {error}") from error
    return _joined()


def _joined() -> Joined:
    """Read what jax.distributed knows after it was initialised.

    This is the one use of a private name of jax: the client of its key-value store has no public
    one, and jax.process_index() and jax.process_count() would start the devices.
    """
    from jax._src import distributed

    state = distributed.global_state
    return Joined(state.process_id, state.num_processes, state.client)
