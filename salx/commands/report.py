"""`salx report W`: write W/report/, print the table and where the page is."""

from collections.abc import Sequence

from rich.console import Console

from salx import report
from salx.commands.parser import Parser
from salx.infra import storage

ABOUT = """\
Draw the report of a study, finished or not, from the files of its work folder W.

It prints the table, and writes into W/report/
  index.html             a page that needs nothing else, with every figure and table
  table.csv, .md, .tex   the table of who chose well for whom
  tables/                every other table of the page, in the same three forms
  figures/               every figure, as SVG and PNG
A report that was made from the same files by the same version is left as it is.
"""


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
      arguments: the words after its name.

    Raises:
      InputError: for what cannot be read or written.
      RunError: where the disk is full.
    """
    parser = Parser("report", ABOUT)
    parser.add_argument("workdir", metavar="W", help="a study's work folder")
    workdir = storage.resolve(parser.parse(arguments).workdir)
    page = report.write(workdir)
    console = Console()
    console.print(report.summary(workdir, console.width), soft_wrap=True)
    print(page)
