"""The processes that run one study in step: which is the first, what it tells the others, and
how all end together. A process on its own has no others, and needs no jax for any of this.

Process 0 alone writes and prints. The others never ask the file system what it has written,
which a shared one may answer late: process 0 looks, and tells them.
"""

import atexit
import contextlib
import importlib.util
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from salx.infra import locks, sealed, version
from salx.infra.errors import InputError, Stopped

# Seconds: until all have come; until a silent process counts as lost; for one answer; and for
# the others to have heard that the run ends.
JOIN, HEARTBEAT, ANSWER, FAREWELL = 300, 30, 1800, 10
REASON = "salx/reason"  # why the run ends: where the first that has to end it writes
SIGTERM = "salx/sigterm"  # SIGTERM came to some process


class Process(NamedTuple):
    """This process's number, how many there are, and jax's key-value store, which all share."""

    index: int = 0
    count: int = 1
    store: Any = None


process = Process()
told = 0  # answers that process 0 gave, the same in all processes
asked = 0  # calls of `stopping`, equal in all processes at the same step
last = math.inf  # the call of `stopping` that says yes
counting = threading.Lock()  # held while `asked` must not move
terminated = threading.Event()  # SIGTERM came to this process
finished = threading.Event()  # nobody needs to listen any more
ending = threading.Lock()  # held by the thread that ends this process


def initialise(coordinator: str | None, count: int | None, index: int | None) -> None:
    """Joins the other processes: those of the flags --coordinator=HOST:PORT --processes=N
    --process=I, else those that Slurm, Kubernetes or a TPU pod started; else there are none.

    Comes before any device query. Raises InputError if they cannot be joined.
    """
    given = coordinator, count, index
    explicit = None not in given
    if not explicit and given != (None, None, None):
        raise InputError("--coordinator, --processes and --process go together")
    signal.signal(signal.SIGTERM, lambda *_: terminated.set())
    if explicit or launched():
        join(given, "deactivate" if explicit else None)


def launched() -> bool:
    """Whether this is one of several processes of a launcher that jax.distributed knows."""
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        return True
    if {"KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"} <= os.environ.keys():
        return True
    if importlib.util.find_spec("libtpu") is None:
        return False
    from jax._src import cloud_tpu_init

    return cloud_tpu_init.running_in_cloud_tpu_vm


def join(given: tuple, detection: str | None) -> None:
    """jax.distributed, with bounded waits, and a thread that hears when the others end."""
    global process
    import jax
    from jax._src import distributed  # the key-value store has no public name

    # Its sync points need a number that only ever grows, and Orbax would give them its steps.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            *given,
            cluster_detection_method=detection,
            initialization_timeout=JOIN,
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    except (RuntimeError, ValueError) as error:
        raise InputError(f"cannot join the other processes: {error}") from error
    at = distributed.global_state
    process = Process(at.process_id, at.num_processes, at.client)
    if process.count > 1:
        threading.Thread(target=listen, daemon=True).start()
        atexit.register(finished.set)  # before jax's own, which takes leave of the others


def is_main() -> bool:
    """Whether this process is the one that writes and prints."""
    return process.index == 0


def held(folder: Path, wait: bool = False) -> AbstractContextManager:
    """`holds.held` for all processes: process 0, which writes, holds the folder."""
    return locks.held(folder, wait, end) if is_main() else contextlib.nullcontext()


def run_on_main(function: Callable, *args) -> Any:
    """Process 0 calls the function; every process returns its result, which JSON can hold."""
    global told
    if process.count == 1:
        return function(*args)
    told += 1
    key = f"salx/told/{told}"
    if is_main():
        process.store.key_value_set(key, json.dumps(function(*args)))
    return json.loads(process.store.blocking_key_value_get(key, ANSWER * 1000))


def check_alike(facts: Mapping[str, Any]) -> None:
    """Raises InputError, with what differs, in a process whose facts, code or jax are not
    those of process 0; the others wait until all have compared theirs."""
    if process.count == 1:
        return
    import jax

    facts = {**facts, "code": version.code_version(), "jax": jax.__version__}
    mine = json.loads(sealed.canonical(facts))
    if changed := sealed.differences(run_on_main(lambda: mine), mine):
        raise InputError(f"process {process.index} differs from process 0: {changed}")
    barrier("alike")


def barrier(place: str) -> None:
    """Waits until all processes have come to it."""
    if process.count > 1:
        process.store.wait_at_barrier(f"salx/{place}", ANSWER * 1000)


def stopping() -> bool:
    """Whether SIGTERM has come to any process: no until all say yes at the same call of theirs."""
    global asked
    if process.count == 1:
        return terminated.is_set()
    with counting:
        asked += 1
        return asked == last


def check_stopping() -> None:
    """Raises Stopped if `stopping`; for loops that lose nothing but time."""
    if stopping():
        raise Stopped


def end(code: int, line: str) -> int:
    """Tells all processes that the run ends, and why; the first to tell is heard.

    Process 0 prints the line. Returns the exit code where there are no others; with others
    this process ends here, as they may be waiting for it within a collective.
    """
    if process.count == 1:
        print(line, file=sys.stderr)
        return code
    with contextlib.suppress(Exception):  # another was first
        process.store.key_value_set(REASON, json.dumps([code, line]))
    leave(code, line)


def listen() -> None:
    """Ends this process once another has told why the run ends; passes SIGTERM on."""
    while not finished.wait(1.0):
        with contextlib.suppress(Exception):  # nobody has
            leave(*json.loads(process.store.key_value_try_get(REASON)))
        with contextlib.suppress(Exception):  # another was first
            if terminated.is_set():
                process.store.key_value_set(SIGTERM, "")
        with contextlib.suppress(Exception):  # it came to nobody
            if last == math.inf:
                process.store.key_value_try_get(SIGTERM)
                agree_on_stop()


def agree_on_stop() -> None:
    """All processes stop at the call that follows the furthest one's; each stands still until
    all have told where they are."""
    global last
    with counting:
        process.store.key_value_set(f"{SIGTERM}/{process.index}", str(asked))
        every = range(process.count)
        get = process.store.blocking_key_value_get
        last = 1 + max(int(get(f"{SIGTERM}/{index}", ANSWER * 1000)) for index in every)


def leave(code: int, line: str) -> None:
    """Ends this process with the first one's reason, after all have heard it; never returns."""
    ending.acquire()
    heard = is_main()
    try:
        code, line = json.loads(process.store.blocking_key_value_get(REASON, FAREWELL * 1000))
    except Exception:  # process 0, which keeps the store, is lost
        heard = True
    if heard:
        print(line, file=sys.stderr)
    with contextlib.suppress(Exception):  # a lost process never comes
        process.store.wait_at_barrier("salx/farewell", FAREWELL * 1000)
    if is_main():
        time.sleep(1.0)  # with it goes the service that the others are still leaving
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
