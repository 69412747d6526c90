"""Real processes of the command without the seconds that importing takes.

A server of this run (multiprocessing's) imports what the commands need, once, and forks for each
of them before any device was asked for. A fork has its own arguments, environment, working folder
and outputs, ends by its own exit code, and runs the module as `python -m` does.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

from tests.builders import ROOT

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.preloaded"])


class Command:
    """A running `python -m module arguments`, with what this suite uses of subprocess.Popen.

    Its standard outputs go to files, so that nobody has to read them while it runs.
    """

    def __init__(self, module: str, arguments: Sequence[object], env: Mapping[str, str]):
        self.args = [module, *map(str, arguments)]
        self._files = [tempfile.TemporaryFile() for _ in range(2)]
        outputs = [multiprocessing.reduction.DupFd(file.fileno()) for file in self._files]
        self._process = _CONTEXT.Process(target=_main, args=(self.args, dict(env), outputs))
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or less the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit code."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; return what it wrote to stdout and to stderr."""
        self.wait(timeout)
        return self.written()

    def written(self) -> tuple[str, str]:
        """Return what it has written to stdout and to stderr so far."""
        contents = [os.pread(file.fileno(), 2**30, 0) for file in self._files]
        out, err = (content.decode("utf-8", "backslashreplace") for content in contents)
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def run(
    module: str, arguments: Sequence[object], env: Mapping[str, str], timeout: float = 300
) -> subprocess.CompletedProcess:
    """Run `python -m module arguments` in the repository's folder; return what it gave."""
    command = Command(module, arguments, env)
    try:
        outputs = command.communicate(timeout)
    finally:
        command.kill()
    return subprocess.CompletedProcess(command.args, command.returncode, *outputs)


def _main(words: list[str], env: dict[str, str], outputs: list) -> None:
    """Become the command, in the fork."""
    for number, output in enumerate(outputs, 1):
        os.dup2(output.detach(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    sys.stdin = open(os.devnull)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    module, *sys.argv[1:] = words
    sys.path[:0] = [str(ROOT), *filter(None, env.get("PYTHONPATH", "").split(":"))]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
