"""The processes that run one study in step: which is the main one, what it tells the others, and
how all end together. A process on its own has no others, and needs no jax for any of this.

Only process 0 writes and prints. The others never ask the file system what it has written,
which a shared one may answer late: process 0 looks, and tells them.

What this process knows of the others is one object, `process`; the functions of this module
are its methods.
"""

import atexit
import contextlib
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
from typing import Any, NoReturn

from salx.infra import joining, locks, sealed, version
from salx.infra.errors import InputError, Stopped

# Seconds: for one answer; and for the others to have heard that the run ends.
ANSWER, FAREWELL = 1800, 10
REASON = "salx/reason"  # why the run ends: where the first that has to end it writes
SIGTERM = "salx/sigterm"  # SIGTERM came to some process


class Process:
    """Represent this process among those that run a study in step.

    Args:
      index: its number, from 0.
      count: how many processes there are.
      store: the key-value store that they share (jax's); None for a process on its own.

    Attributes:
      index: its number; process 0 is the main one.
      count: how many processes there are.
      store: the key-value store; None for a process on its own.
      terminated: set once SIGTERM has come to this process.
    """

    def __init__(self, index: int = 0, count: int = 1, store: Any = None):
        self.index, self.count, self.store = index, count, store
        self.terminated = threading.Event()
        self._answers = 0  # that process 0 gave, the same number in all processes
        self._calls = 0  # of `stopping`, equal in all processes at the same step
        self._last_call: float = math.inf  # the call of `stopping` that says yes
        self._counting = threading.Lock()  # held while `_calls` must not move
        self._finished = threading.Event()  # nobody needs to listen any more
        self._ending = threading.Lock()  # held by the thread that ends this process

    def initialise(self, coordinator: str | None, count: int | None, index: int | None) -> None:
        """Join the other processes, and catch SIGTERM from now on. For commands only.

        The others are those of the flags, else those that Slurm, Kubernetes or a TPU pod started;
        else there are none. Comes before any device query.

        Args:
          coordinator: --coordinator=HOST:PORT, where the processes meet; None without the flag.
          count: --processes=N, how many they are; None without the flag.
          index: --process=I, which of them this is; None without the flag.

        Raises:
          InputError: if they cannot be joined.
        """
        coordinates = joining.Coordinates(coordinator, count, index)
        explicit = coordinates.explicit
        signal.signal(signal.SIGTERM, lambda *_: self.terminated.set())
        if not explicit and not joining.launched():
            return
        self.index, self.count, self.store = joining.join(coordinates)
        if self.count > 1:
            threading.Thread(target=self.listen, daemon=True).start()
            atexit.register(self._finished.set)  # before jax's own, which leaves the others

    def is_main(self) -> bool:
        """Tell whether this process is the one that writes and prints.

        Returns:
          True for process 0.
        """
        return self.index == 0

    def held(self, folder: Path, wait: bool = False) -> AbstractContextManager[None]:
        """Hold a folder for all processes, as `locks.held` does: process 0, which writes, has the
        lock.

        Args:
          folder: made, if it is not there.
          wait: whether to wait for another process that holds it.

        Returns:
          A context manager, which raises as `locks.held` does.
        """
        if self.is_main():
            return locks.held(folder, wait, self.end)
        return contextlib.nullcontext()

    def run_on_main(self, function: Callable[..., Any], *args: Any) -> Any:
        """Let process 0 call a function, and return its result in every process.

        Args:
          function: gives what JSON can hold. All processes come to this call, in the same order.
          *args: its arguments.

        Returns:
          The function's result in process 0.
        """
        if self.count == 1:
            return function(*args)
        self._answers += 1
        key = f"salx/answer/{self._answers}"
        if self.is_main():
            self.store.key_value_set(key, json.dumps(function(*args)))
        return json.loads(self.store.blocking_key_value_get(key, ANSWER * 1000))

    def check_alike(self, facts: Mapping[str, Any]) -> None:
        """Check that this process has the facts, the code and the jax of process 0.

        The others wait until all have compared theirs.

        Args:
          facts: whatever must be the same in all processes, in JSON's types.

        Raises:
          InputError: says what differs, in a process where something does.
        """
        if self.count == 1:
            return
        import jax

        facts = {**facts, "code": version.code_version(), "jax": jax.__version__}
        mine = json.loads(sealed.canonical(facts))
        if changed := sealed.differences(self.run_on_main(lambda: mine), mine):
            raise InputError(f"process {self.index} differs from process 0: {changed}")
        self.barrier("alike")

    def barrier(self, name: str) -> None:
        """Wait until all processes have come to the barrier of a name.

        Args:
          name: of the barrier; each is used only once in a run.
        """
        if self.count > 1:
            self.store.wait_at_barrier(f"salx/{name}", ANSWER * 1000)

    def stopping(self) -> bool:
        """Tell whether SIGTERM has come to any process.

        With several processes the answer is no until all say yes at the same call of theirs.

        Returns:
          Whether the work is to stop now.
        """
        if self.count == 1:
            return self.terminated.is_set()
        with self._counting:
            self._calls += 1
            return self._calls == self._last_call

    def check_stopping(self) -> None:
        """Stop here if SIGTERM has come; for loops that lose nothing but time.

        Raises:
          Stopped: if `stopping` says so.
        """
        if self.stopping():
            raise Stopped

    def agree_on_stop(self) -> None:
        """Make all processes stop at the call of `stopping` that follows the furthest one's.

        Each stands still until all have written where they are.
        """
        with self._counting:
            self.store.key_value_set(f"{SIGTERM}/{self.index}", str(self._calls))
            get = self.store.blocking_key_value_get
            calls = [get(f"{SIGTERM}/{index}", ANSWER * 1000) for index in range(self.count)]
            self._last_call = 1 + max(map(int, calls))

    def end(self, code: int, line: str) -> int:
        """Tell all processes that the run ends, and why; only the first to tell is heard.

        Process 0 prints the line. With others this process ends within this call, as they may be
        waiting for it within a collective.

        Args:
          code: the exit code of all processes.
          line: why the run ends, for its user.

        Returns:
          The exit code, where there are no other processes.
        """
        if self.count == 1:
            print(line, file=sys.stderr)
            return code
        with contextlib.suppress(Exception):  # another was first
            self.store.key_value_set(REASON, json.dumps([code, line]))
        self.leave(code, line)

    def listen(self) -> None:
        """End this process as soon as another has told why the run ends; pass SIGTERM on."""
        while not self._finished.wait(1.0):
            with contextlib.suppress(Exception):  # nobody has
                self.leave(*json.loads(self.store.key_value_try_get(REASON)))
            with contextlib.suppress(Exception):  # another was first
                if self.terminated.is_set():
                    self.store.key_value_set(SIGTERM, "")
            with contextlib.suppress(Exception):  # it came to nobody
                if self._last_call == math.inf:
                    self.store.key_value_try_get(SIGTERM)
                    self.agree_on_stop()

    def leave(self, code: int, line: str) -> NoReturn:
        """End this process with the first one's reason, after all have heard it.

        Args:
          code: the exit code, should that reason be lost.
          line: the line, should that reason be lost.
        """
        self._ending.acquire()
        prints = self.is_main()
        try:
            reason = self.store.blocking_key_value_get(REASON, FAREWELL * 1000)
            code, line = json.loads(reason)
        except Exception:  # process 0, which keeps the store, is lost
            prints = True
        if prints:
            print(line, file=sys.stderr)
        with contextlib.suppress(Exception):  # a lost process never comes
            self.store.wait_at_barrier("salx/farewell", FAREWELL * 1000)
        if self.is_main():
            time.sleep(1.0)  # with it goes the service that the others are still leaving
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


# The processes of this run, as this one knows them: none but itself until `initialise`.
process = Process()

launched = joining.launched
initialise, is_main, held = process.initialise, process.is_main, process.held
run_on_main, check_alike, barrier = process.run_on_main, process.check_alike, process.barrier
stopping, check_stopping, end = process.stopping, process.check_stopping, process.end
