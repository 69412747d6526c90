"""python -m salx report W: writes W/report/, prints the table and where the page is."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from salx import report
from salx.infra import storage
from salx.infra.errors import InputError

ABOUT = (
    "Writes W/report/ (a page, the table as CSV, Markdown and LaTeX, figures); prints the table."
)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0, or 2 for what cannot be read, said in one line."""
    parser = argparse.ArgumentParser("python -m salx report", description=ABOUT)
    parser.add_argument("workdir", metavar="W", help="a study's work folder")
    workdir = parser.parse_args(arguments).workdir
    try:
        workdir = storage.resolve(workdir)  # of a bucket, asked for once
        page = report.write(workdir)
        console = Console()
        console.print(report.summary(workdir, console.width), soft_wrap=True)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        why = error.strerror or error
        print(f"{error.filename or workdir}: cannot be written: {why}", file=sys.stderr)
        return 2
    print(page)
    return 0
