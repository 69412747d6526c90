"""How a case is run: in this process, with what it printed caught, or as one of its own."""

import contextlib
import importlib
import io
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
from absl import logging

import salx
from salx import commands
from salx.commands.config_file import ConfigFile
from salx.infra.errors import InputError, RunError, Stopped, Unreachable, verdict
from tests.builders import ROOT
from tests.fuzz.case import COMMANDS, Case
from tests.prepared import Command

SECONDS = 60  # that a case may take; machines that run tests are busy
LATE = -1  # the exit code of a case that took longer


@dataclass(frozen=True)
class Outcome:
    """What a case gave: its exit code, its output, and by how many bytes the process grew."""

    code: int
    out: str
    err: str
    seconds: float = 0.0
    memory: int = 0
    shown: str = field(default="", repr=False)  # the traceback of an exception that passed


class Late(BaseException):
    """A case took too long."""


def environment(root: Path) -> dict[str, str]:
    """The environment of a case: its own home, and no network."""
    return {
        **os.environ,
        "HOME": str(root / COMMANDS[0]),
        "MPLCONFIGDIR": matplotlib.get_configdir(),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "COLUMNS": "80",
    }


def whole_process(case: Case, root: Path) -> Outcome:
    """Run a case as a process of its own."""
    words = [str(root / COMMANDS[1]), str(case.file_limit), case.encoding, *case.words]
    began = time.monotonic()
    command = Command("tests.fuzz.limited", words, environment(root))
    try:
        code = command.wait(SECONDS)
    except subprocess.TimeoutExpired:
        code = LATE
    finally:
        command.kill()
    return Outcome(code, *command.written(), time.monotonic() - began)


def in_process(case: Case, root: Path) -> Outcome:
    """Run a case in this process."""
    began, before = time.monotonic(), _most_memory()
    shown = ""
    with caught() as written, _visiting(root):
        try:
            with _limited(SECONDS):
                code = _study(case.words[1:]) if case.words[0] == "study" else _main(case.words)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        except Late:
            code = LATE
        except BaseException as error:
            last = traceback.format_exception_only(error)[-1]  # jax has a note of its own there
            code, shown = 1, f"{traceback.format_exc()}{last}"
    seconds, memory = time.monotonic() - began, _most_memory() - before
    return Outcome(code, *written, seconds, memory, shown)


def _main(words: tuple[str, ...]) -> int:
    return commands.main(words)


def _study(words: tuple[str, ...]) -> int:
    """What `salx study --config=FILE --workdir=W --plan` does, but for absl's flags, which a
    process reads once."""
    flags = dict(word.removeprefix("--").partition("=")[::2] for word in words)
    try:
        config = ConfigFile().parse(flags["config"])
        print(salx.Study(config, flags["workdir"]).plan())
    except (InputError, RunError, Stopped, Unreachable) as error:
        code, line = verdict(error)
        print(line, file=sys.stderr)
        return code
    return 0


@contextlib.contextmanager
def caught() -> Iterator[list[str]]:
    """Catch what Python and C write to stdout and stderr; both texts are there at the end."""
    texts: list[str] = []
    python, handler = (sys.stdout, sys.stderr), logging.get_absl_handler().python_handler
    stream = handler.stream
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        saved = [os.dup(number) for number in (1, 2)]
        for text in python:
            text.flush()
        for number, file in ((1, out), (2, err)):
            os.dup2(file.fileno(), number)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = open(
            2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
        handler.stream = sys.stderr
        try:
            yield texts
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            sys.stdout, sys.stderr = python
            handler.stream = stream
            for number, copy in enumerate(saved, 1):
                os.dup2(copy, number)
                os.close(copy)
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _visiting(root: Path) -> Iterator[None]:
    """Be in the case's folder, with its environment; modules from there are forgotten after it."""
    folder, path, environ = os.getcwd(), [*sys.path], dict(os.environ)
    modules = set(sys.modules)
    os.environ.update(environment(root))
    os.chdir(root / COMMANDS[1])
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        os.chdir(folder)
        sys.stdin = stdin
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environ)
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(str(root)):
                del sys.modules[name]
        importlib.invalidate_caches()


@contextlib.contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Raise Late within the block when so much time has passed."""

    def late(*_: object) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _most_memory() -> int:
    """Bytes of memory that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
