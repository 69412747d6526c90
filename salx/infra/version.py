"""The version of the package, and of the code that is running."""

import functools
from pathlib import Path

from salx.infra.sealed import digest

__version__ = "0.2.0.dev0"

PACKAGE = Path(__file__).parent.parent


@functools.cache
def code_version() -> str:
    """Return the package's version with a digest of its sources.

    Returns:
      `0.2.0+1f2e3d4c5b6a`: the version, and the first 12 hexadecimal digits of the sha256 over the
      paths and the contents of all Python files of the package.
    """
    files = sorted(PACKAGE.rglob("*.py"))
    contents = [
        content
        for file in files
        for content in (str(file.relative_to(PACKAGE)).encode(), file.read_bytes())
    ]
    return f"{__version__}+{digest(*contents)[7:19]}"
