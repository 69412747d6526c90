"""The report of a study: `write(workdir)` leaves W/report/, `summary(workdir)` is for the console.

    results    evidence      what a work folder holds: results; scores, picks, pictures
    tables     statistics    the deployment x surrogate tables, and what chance allows
    findings contest potentials classes paper lineage diagnostics portraits costs    -> sheets
    figures (curves, histograms, look)    page    formats    sheets    latex    console

Nothing heavy is imported until something is drawn.
"""

import shutil
from pathlib import Path

from salx.infra import storage

__all__ = ["summary", "write"]


def write(workdir: str | Path) -> Path:
    """Writes W/report/: index.html, table.{csv,md,tex}, tables/ and figures/.

    Returns the page's path.

    A report that is already there, made by this code from the same results, is left as it is.
    Raises InputError, naming the path, if W is no work folder or holds a damaged file.
    """
    from salx.report import page

    return page.write(storage.resolve(workdir))


def summary(workdir: str | Path, width: int | None = None):
    """The verdict and the table as a rich Text; `str()` or print() gives it without colours.

    width: columns of the console, its own unless given.
    """
    from salx.report import console

    width = width or shutil.get_terminal_size((80, 24)).columns
    return console.summary(storage.resolve(workdir), width)
