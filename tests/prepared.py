"""Real processes of the command without the seconds that importing takes.

A server of this run (multiprocessing's) imports what the commands need, once, and forks for each
of them before any device was asked for. A fork has its own arguments, environment, working folder
and outputs, ends by its own exit code, and runs the module as `python -m` does.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

from tests.builders import ROOT

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.preloaded"])


def run(
    module: str, arguments: Sequence[str], env: Mapping[str, str], timeout: float = 300
) -> subprocess.CompletedProcess:
    """Run `python -m module arguments` in the repository's folder; return what it gave."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        outputs = [multiprocessing.reduction.DupFd(file.fileno()) for file in (out, err)]
        words = [module, *map(str, arguments)]
        process = _CONTEXT.Process(target=_main, args=(words, dict(env), outputs))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return subprocess.CompletedProcess(words, process.exitcode, *texts)


def _main(words: list[str], env: dict[str, str], outputs: list) -> None:
    """Become the command, in the fork."""
    for number, output in enumerate(outputs, 1):
        os.dup2(output.detach(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    sys.stdin = open(os.devnull)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, closefd=False)
    module, *sys.argv[1:] = words
    sys.path.insert(0, str(ROOT))
    runpy.run_module(module, run_name="__main__", alter_sys=True)
