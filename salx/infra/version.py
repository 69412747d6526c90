"""The version of the package, and of the code that is running."""

import functools
from pathlib import Path

from salx.infra.sealed import digest

__version__ = "0.1.0"

PACKAGE = Path(__file__).parent.parent


@functools.cache
def code_version() -> str:
    """Package version and a digest of the package's sources: `0.1.0+1f2e3d4c5b6a`."""
    files = sorted(PACKAGE.rglob("*.py"))
    named = [part for f in files for part in (str(f.relative_to(PACKAGE)).encode(), f.read_bytes())]
    return f"{__version__}+{digest(*named)[7:19]}"
