"""How cells that begin with `%%bash` run as pages are built: IPython reads this as it starts.

What a command prints comes in one piece and without colours, as in a file. A command that fails
ends the page with what it says.
"""

import os
import subprocess

from IPython.core.magic import register_cell_magic

COLOURS = ("FORCE_COLOR", "CLICOLOR_FORCE")  # set in every kernel


@register_cell_magic
def bash(line: str, cell: str) -> None:
    """Run a cell, to its first error."""
    process = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", cell],
        env={name: value for name, value in os.environ.items() if name not in COLOURS},
        capture_output=True,
        text=True,
    )
    print(process.stdout, end="")
    if process.returncode:
        raise RuntimeError(process.stderr)
