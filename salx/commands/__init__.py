"""The commands, `python -m salx COMMAND ...`, or `salx COMMAND ...` where SALX is installed.

    study     run a study, or go on with it, from a config (the same as python -m salx.main)
    select    choose from your own images with a model that you already have
    report    draw the report of a study's work folder
    convert   rename weights from PyTorch's names to SALX's and back
    latency   count the operations of models, and what accelerators would take for them

`salx COMMAND --help` explains each.
"""

import importlib
import os
import sys
from collections.abc import Sequence

from salx.infra.errors import one_line, unknown

COMMANDS = ("study", "select", "report", "convert", "latency")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names with the other arguments.

    Args:
      arguments: the words after `salx`; those of this process unless given.

    Returns:
      The exit code: 0 done, 1 a run had to stop, 2 bad input, 75 stopped by SIGTERM or by a
      bucket that does not answer, 130 interrupted.
    """
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(__doc__, end="")
        return 0
    if name not in COMMANDS:
        print(f"salx: {one_line(unknown('command', name, COMMANDS))}", file=sys.stderr)
        return 2
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())  # so that `module:Class` of the current folder is found
    return importlib.import_module(f"salx.commands.{name}").main(rest)
