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
--section adds a section of your own to the page; see salx/report/sections/__init__.py. Packages
bring theirs by the entry points of the group salx.report_sections.
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
    parser.add_argument(
        "--section", metavar="MODULE:CLASS", action="append", default=[],
        help="a section from a module that can be imported; may be repeated",
    )  # fmt: skip
    flags = parser.parse(arguments)
    workdir = storage.resolve(flags.workdir)
    page = report.write(workdir, flags.section)
    console = Console()
    console.print(report.summary(workdir, console.width), soft_wrap=True)
    print(page)
