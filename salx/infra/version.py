"""The version of the package, and of the code that is running."""

import functools
from pathlib import Path

from salx.infra.sealed import digest

__version__ = "0.2.0.dev0"

PACKAGE = Path(__file__).parent.parent


@functools.cache
def code_version() -> str:
    """Tell the package's version and a digest of its sources: `0.2.0+1f2e3d4c5b6a`."""
    files = sorted(PACKAGE.rglob("*.py"))
    contents = [
        content
        for file in files
        for content in (str(file.relative_to(PACKAGE)).encode(), file.read_bytes())
    ]
    return f"{__version__}+{digest(*contents)[7:19]}"
