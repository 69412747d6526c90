"""Real processes: the command, several of them as one, and a server of a bucket."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.builders import ROOT, SMALL, picks
from tests.compilation_cache import devices
from tests.prepared import Command

MAIN = "-m", "salx.main"
Running = Command | subprocess.Popen
# The study of one model and one seed that the small study contains.
SHORT = (
    "--config.seeds=1",
    "--config.surrogates=('a',)",
    "--config.deployments=('a',)",
    "--config.telemetry.progress=False",
)


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def serving(port: int) -> Iterator[tuple[subprocess.Popen, dict[str, str]]]:
    """Start a process that serves gs://bucket; give it and the environment that leads there."""
    command = [sys.executable, str(ROOT / "tests" / "bucket.py"), str(port)]
    env = {
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
        "TENSORSTORE_GCS_HTTP_URL": f"http://127.0.0.1:{port}",
        "GOOGLE_AUTH_TOKEN_FOR_TESTING": "nobody",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",  # asks Google what kind of bucket it is
    }
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None
                time.sleep(0.05)
        yield process, env
        process.kill()


def start(workdir: Path | str, env: dict[str, str], *more: str) -> Command:
    """Start the small study and go on at once."""
    return Command("salx.main", [f"--config={SMALL}", f"--workdir={workdir}", *more], env)


@contextlib.contextmanager
def started(
    count: int,
    workdir: Path | str,
    env: dict[str, str],
    *more: str,
    other: Sequence[str] = (),
    code: Sequence[str] = (),
    path: Path = ROOT,
) -> Iterator[list[Running]]:
    """Start `count` processes of the short study; all end with the block.

    Args:
        count: how many, with two devices each.
        workdir: their work folder.
        env: their environment.
        *more: further flags for all.
        other: further flags for the last one.
        code: what Python runs as the last one in the place of the command.
        path: where the last one's salx lies.
    """
    port, running = free_port(), []
    for index in range(count):
        last = index == count - 1
        flags = [f"--config={SMALL}", f"--workdir={workdir}", *SHORT, *more]
        flags += [f"--coordinator=127.0.0.1:{port}", f"--processes={count}", f"--process={index}"]
        two = {**env, "XLA_FLAGS": devices(2)}
        if last and (code or path != ROOT):
            command = [sys.executable, *(code or MAIN), *flags, *other]
            running.append(_elsewhere(command, two, path))
        else:
            running.append(Command("salx.main", [*flags, *(other if last else ())], two))
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _elsewhere(command: list[str], env: dict[str, str], path: Path) -> subprocess.Popen:
    """Start a process that imports salx from another folder, or other code."""
    env, pipe = {**env, "PYTHONPATH": str(path)}, subprocess.PIPE
    return subprocess.Popen(command, env=env, cwd=path, stdout=pipe, stderr=pipe, text=True)


def ended(running: Sequence[Running], timeout: float = 300) -> tuple[list[int], list[list[str]]]:
    """Wait for all; return their exit codes and the lines on stderr of each."""
    lines = [process.communicate(timeout=timeout)[1].splitlines() for process in running]
    return [process.returncode for process in running], lines


def wait_for_a_checkpoint(running: Sequence[Running], workdir: Path) -> None:
    """Return as soon as a training has saved something."""
    while not any(workdir.glob("deployments/*/checkpoint/[0-9]*")):
        assert all(process.poll() is None for process in running)
        time.sleep(0.05)


def short_picks(workdir: Path) -> dict[str, list[int]]:
    """Return what the short study chooses, read from the work folder of the small one."""
    return {
        name: ids for name, ids in picks(workdir).items() if ".s0/" in name and "/b." not in name
    }
