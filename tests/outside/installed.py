"""What installing a package with entry points leaves, in a folder of sys.path."""

from pathlib import Path

POINTS = """
[salx.policies]
few = tests.outside.policies:Few
[salx.surrogates]
bright = tests.outside.surrogates:from_file
[salx.models]
two_layers = tests.outside.models:TwoLayers
[salx.tasks]
counting = tests.outside.counting:Counting
[salx.datasets]
counts = tests.outside.counting:load
[salx.report_sections]
slow_runs = tests.outside.sections:Slowest
"""


def install(folder: Path) -> Path:
    """Write the metadata of a package `guest` 1.0; return the folder."""
    info = folder / "guest-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    return folder
