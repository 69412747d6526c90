"""The report of a study: `write(workdir)` leaves W/report/, `summary(workdir)` is for the console.

    load      a work folder as typed values: results, selections, the paper's tables
    analysis  numbers: pairs of surrogate and deployment, what chance allows, diagnostics
    tables    one type of table, and its writers: CSV, Markdown, LaTeX, HTML
    figures   what matplotlib draws
    sections  one file each, also from outside the package: which tables and figures, and why
    page      all sections as one page, and all files beside it
    console   the same study on the console

Nothing heavy is imported until something is drawn.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from salx.infra import storage

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["summary", "write"]


def write(workdir: str | Path, sections: Sequence[str] = ()) -> Path:
    """Write W/report/: index.html, table.{csv,md,tex}, tables/ and figures/.

    A report that is already there, made by this code from the same results, is left as it is.

    Args:
      workdir: a study's work folder, finished or not; `gs://BUCKET/FOLDER` is one too.
      sections: sections of the page besides those that are registered or that packages bring, as
        `module:Class` (see salx.report.sections).

    Returns:
      The page's path.

    Raises:
      InputError: naming the path, if W is no work folder or holds a damaged file; naming the
        section, if one from outside the package fails.
    """
    from salx.report.page import files

    return files.write(storage.resolve(workdir), sections)


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
