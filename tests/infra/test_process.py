"""Several `Process` objects as threads of one process, over a store that stands in for jax's."""

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from salx.infra import joining, multihost
from salx.infra.errors import InputError, Stopped
from salx.infra.multihost import Process


class Store:
    """The methods of jax's key-value store that `Process` uses."""

    def __init__(self, count):
        self.values, self.changed = {}, threading.Condition()
        self.count, self.barriers, self.guard = count, {}, threading.Lock()

    def key_value_set(self, key, value):
        with self.changed:
            if key in self.values:
                raise RuntimeError("ALREADY_EXISTS")
            self.values[key] = value
            self.changed.notify_all()

    def key_value_try_get(self, key):
        return self.values[key]

    def blocking_key_value_get(self, key, milliseconds):
        with self.changed:
            if not self.changed.wait_for(lambda: key in self.values, milliseconds / 1000):
                raise TimeoutError(key)
            return self.values[key]

    def wait_at_barrier(self, name, milliseconds):
        with self.guard:
            barrier = self.barriers.setdefault(name, threading.Barrier(self.count))
        barrier.wait(milliseconds / 1000)


def everywhere(function, count=3):
    """What the function gives, or raises, for each of the processes."""
    store = Store(count)
    processes = [Process(index, count, store) for index in range(count)]

    def call(process):
        try:
            return function(process)
        except (InputError, SystemExit) as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(call, processes))


def test_only_process_0_calls_and_all_have_its_answers():
    called = []

    def run(process):
        return [process.run_on_main(lambda n=n: called.append(n) or [n, "x"]) for n in range(3)]

    assert everywhere(run) == [[[0, "x"], [1, "x"], [2, "x"]]] * 3
    assert called == [0, 1, 2]


def test_a_process_with_other_facts_is_refused():
    def run(process):
        process.barrier("start")
        try:
            process.check_alike({"config": {"seeds": 2 if process.index == 1 else 1}})
        except InputError:
            process.barrier("alike")  # so that the others need not wait
            raise

    one, other, last = everywhere(run)
    assert (one, last) == (None, None)
    assert str(other) == "process 1 differs from process 0: config.seeds 1 -> 2"


def test_all_stop_at_the_call_that_follows_the_furthest_ones():
    ahead = {0: 2, 1: 5, 2: 3}

    def run(process):
        calls = 0
        for _ in range(ahead[process.index]):
            assert not process.stopping()
            calls += 1
        process.barrier("ahead")
        process.agree_on_stop()
        while not process.stopping():
            calls += 1
        return calls + 1

    assert everywhere(run) == [6, 6, 6]


def test_the_first_reason_ends_all_and_process_0_prints_it(monkeypatch, capsys):
    def exited(code):
        raise SystemExit(code)

    monkeypatch.setattr(multihost.os, "_exit", exited)

    def run(process):
        if process.index == 2:
            process.end(75, "why")
        process.store.blocking_key_value_get(multihost.REASON, 10_000)
        process.end(1, "a later one")

    assert [error.code for error in everywhere(run)] == [75] * 3
    assert capsys.readouterr().err == "why\n"


def test_listening_ends_a_process_and_passes_sigterm_on(monkeypatch):
    codes = []

    def exited(code):
        codes.append(code)
        raise SystemExit(code)

    monkeypatch.setattr(multihost.os, "_exit", exited)
    store = Store(2)
    processes = [Process(index, 2, store) for index in range(2)]

    def listen(process):
        with contextlib.suppress(SystemExit):
            process.listen()

    threads = [threading.Thread(target=listen, args=(process,)) for process in processes]
    processes[1].terminated.set()
    for thread in threads:
        thread.start()
    for process in processes:
        store.blocking_key_value_get(f"{multihost.SIGTERM}/{process.index}", 10_000)
    store.key_value_set(multihost.REASON, json.dumps([75, "stopped"]))
    for thread in threads:
        thread.join(30)
    assert codes == [75, 75]
    assert [process.stopping() for process in processes] == [True, True]


def test_a_process_on_its_own_needs_no_store(capsys):
    process = Process()
    assert process.is_main()
    process.barrier("nowhere")
    assert not process.stopping()
    process.terminated.set()
    with pytest.raises(Stopped):
        process.check_stopping()
    assert process.end(3, "why") == 3
    assert capsys.readouterr().err == "why\n"
    assert not multihost.process.terminated.is_set()


@pytest.mark.parametrize(
    ("platforms", "libtpu", "several"),
    [("tpu,cpu", True, True), ("cpu", True, False), (None, True, False), ("tpu", False, False)],
)
def test_a_tpu_is_known_by_jaxs_platforms(monkeypatch, platforms, libtpu, several):
    import jax

    for name in ("SLURM_STEP_NUM_TASKS", "KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(joining.importlib.util, "find_spec", lambda _: object() if libtpu else None)
    before = jax.config.jax_platforms
    jax.config.update("jax_platforms", platforms)
    try:
        assert joining.launched() is several
    finally:
        jax.config.update("jax_platforms", before)
