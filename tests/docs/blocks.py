"""The fenced blocks of README.md and of the pages in docs/, and how they are run.

A comment on the line before a block may say otherwise than "run me":

    <!-- slow: REASON -->      run with ./launch/test.sh --all alone
    <!-- dry run: REASON -->   every launcher in it is run with --dry-run
    <!-- not run: REASON -->   it cannot run here

Pages that begin with `file_format: mystnb` are run by the build of the documentation, cell by cell.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.builders import ROOT

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<how>[a-z ]+): (?P<why>[^\n]+) -->\n\n?)?"
    r"^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
RUN = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": ["python", "-c"]}
HOW = ("", "slow", "dry run", "not run")


class Block(NamedTuple):
    """A fenced block: its language, its text, and how it is run."""

    language: str
    text: str
    how: str


def blocks(page: str) -> list[Block]:
    """Return a page's blocks in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(match["language"], match["text"], match["how"] or "")
        for match in BLOCK.finditer(text)
    ]


def runnable(page: str) -> list[Block]:
    """Return the blocks in a language that is run."""
    return [block for block in blocks(page) if block.language in RUN]


def is_notebook(page: str) -> bool:
    """Tell whether the build of the documentation runs the page."""
    return (ROOT / page).read_text(encoding="utf-8").startswith("---\nfile_format: mystnb")


def run(block: Block, folder: Path, env: Mapping[str, str]) -> None:
    """Run a block as a user would, in a folder; it has to end well."""
    text = block.text
    if block.how == "dry run":
        text = re.sub(r"^(\S*launch/\S+[^#\n]*?) *(#.*)?$", r"\1 --dry-run", text, flags=re.M)
    process = subprocess.run(
        [*RUN[block.language], text],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert process.returncode == 0, f"{text}\n{process.stdout}\n{process.stderr}"
