"""`salx report W`: write W/report/, print the table and where the page is."""

import sys
from collections.abc import Sequence

from rich.console import Console

from salx import report
from salx.commands.parser import Parser
from salx.infra import storage
from salx.infra.errors import InputError, RunError, verdict

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
      The exit code: 0; 2 for what cannot be read or written, 1 where the disk is full, said in
      one line.
    """
    parser = Parser("report", ABOUT)
    parser.add_argument("workdir", metavar="W", help="a study's work folder")
    try:
        workdir = parser.parse(arguments).workdir
        workdir = storage.resolve(workdir)  # the only time that a bucket is looked for
        page = report.write(workdir)
        console = Console()
        console.print(report.summary(workdir, console.width), soft_wrap=True)
    except (InputError, RunError, OSError) as error:
        code, line = verdict(error)
        print(line, file=sys.stderr)
        return code
    print(page)
    return 0
