"""The report of a study: `write(workdir)` leaves W/report/, `summary(workdir)` is for the console.

    types                            what a report is made of
    results  selections              read a work folder: results; scores, picks, pictures
    statistics  tables  measures     numbers: the deployment x surrogate tables, what chance allows
    verdict  findings  win_matrix  potentials  classes  paper  lineage  diagnostics
    surrogate_tables  costs          -> sheets
    figures: curves  histograms      colours  style
    formatting  formats  sheets  latex  console  html  page

Nothing heavy is imported until something is drawn.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from salx.infra import storage

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["summary", "write"]


def write(workdir: str | Path) -> Path:
    """Write W/report/: index.html, table.{csv,md,tex}, tables/ and figures/.

    A report that is already there, made by this code from the same results, is left as it is.

    Args:
      workdir: a study's work folder, finished or not; `gs://BUCKET/FOLDER` is one too.

    Returns:
      The page's path.

    Raises:
      InputError: naming the path, if W is no work folder or holds a damaged file.
    """
    from salx.report import page

    return page.write(storage.resolve(workdir))


def summary(workdir: str | Path, width: int | None = None) -> "Text":
    """Say what a study found: the verdict, each policy's table, and how much of it is there.

    Args:
      workdir: as for `write`.
      width: columns of the console, its own unless another number is passed.

    Returns:
      A rich Text; `str()` gives it without colours.

    Raises:
      InputError: naming the path, if W is no work folder or holds a damaged file.
    """
    from salx.report import console

    width = width or shutil.get_terminal_size((80, 24)).columns
    return console.summary(storage.resolve(workdir), width)
