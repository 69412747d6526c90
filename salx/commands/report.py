"""`salx report W`: write W/report/, print the table and where the page is."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from salx import report
from salx.infra import storage
from salx.infra.errors import InputError

ABOUT = """\
Draw the report of a study, finished or not, from the files of its work folder W.

It prints the table, and writes into W/report/
  index.html             a page that needs nothing else, with every figure and table
  table.csv, .md, .tex   the table of who chose well for whom
  tables/                every other table of the page, in the same three forms
  figures/               every figure, as SVG and PNG
A report that was made from the same files by the same version is left as it is.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
      arguments: the words after its name.

    Returns:
      The exit code: 0, or 2 for what cannot be read or written, said in one line.
    """
    parser = argparse.ArgumentParser(
        "python -m salx report",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workdir", metavar="W", help="a study's work folder")
    workdir = parser.parse_args(arguments).workdir
    try:
        workdir = storage.resolve(workdir)  # the only time that a bucket is looked for
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
