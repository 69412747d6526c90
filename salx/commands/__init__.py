"""The commands, `python -m salx COMMAND ...`, or `salx COMMAND ...` where SALX is installed.

    study     run a study, or go on with it, from a config (the same as python -m salx.main)
    select    choose from your own images with a model that you already have
    report    draw the report of a study's work folder
    convert   rename weights from PyTorch's names to SALX's and back
    latency   count the operations of models, and what accelerators would take for them

`salx COMMAND --help` explains each.
"""

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper

from salx.infra.errors import InputError, RunError, unknown, verdict

COMMANDS = ("study", "select", "report", "convert", "latency")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names with the other arguments.

    Args:
      arguments: the words after `salx`; those of this process unless given.

    Returns:
      The exit code: 0 done, 1 a run had to stop, 2 bad input, 75 stopped by SIGTERM or by a
      bucket that does not answer, 130 interrupted.
    """
    with _printing():
        try:
            _run(list(sys.argv[1:] if arguments is None else arguments) or ["--help"])
        except BrokenPipeError:
            raise  # nobody reads any more
        except (InputError, RunError, OSError, KeyboardInterrupt) as error:
            code, line = verdict(error)
            print(line, file=sys.stderr)
            return code
    return 0


def _run(arguments: Sequence[str]) -> None:
    """Run the command that the first argument names; what ends it early is raised."""
    name, *rest = arguments
    if name in ("-h", "--help"):
        print(__doc__, end="")
        return
    if name not in COMMANDS:
        raise unknown("command", name, COMMANDS)
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())  # so that `module:Class` of the current folder is found
    with contextlib.nullcontext() if name == "study" else _warning():  # a study's have a time
        importlib.import_module(f"salx.commands.{name}").main(rest)


@contextlib.contextmanager
def _warning() -> Iterator[None]:
    """Warnings printed as lines of ours; absl alone would put its own name before them."""
    root, handler = logging.getLogger(), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("salx: warning: %(message)s"))
    others = [each for each in root.handlers if type(each) is logging.StreamHandler]
    for other in others:  # such as an import of Orbax leaves: each would tell it once more
        root.removeHandler(other)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for other in others:
            root.addHandler(other)


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """A command prints on any terminal, and ends in one line where nobody takes its output.

    A terminal of another encoding than UTF-8 shows what it has signs for, and "?" for the rest.
    """
    try:
        if isinstance(sys.stdout, TextIOWrapper):  # a notebook's is not, and shows everything
            sys.stdout.reconfigure(errors="replace")
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:  # a command's own errors never come here
        with contextlib.suppress(OSError, ValueError):  # or Python's last flush complains, too
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # such as `| head`, which has read enough
            print(verdict(error)[1], file=sys.stderr)
        raise SystemExit(1) from None
