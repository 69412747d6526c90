"""How the figures look: ink, colours, markers, and their bytes.

Drawn without pyplot and without a date, so that equal results give equal bytes.
"""

import io

import matplotlib
from matplotlib.figure import Figure

from salx.report.types import RANDOM, Column, Study

# M. Okabe and K. Ito's colours, which all kinds of colour vision tell apart (less the yellow).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
GREEN = "#009e73"
GREY = "#8a8a8a"
INK, LINE = "#202326", "#d9d9d6"
MARKERS = {"entropy": "D", "learning_loss": "o", "core_set": "s", "true_loss": "^", "random": "P"}
WIDTH = 3.2  # inches: as wide as a phone, so that text stays readable there
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "salx",
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
}


def encode(figure: Figure, kind: str) -> bytes:
    """The figure as `svg` or `png` bytes, with nothing in them that changes from day to day."""
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format=kind, metadata=metadata, dpi=200, transparent=kind == "svg")
    return file.getvalue()


def by_surrogate(study: Study, column: Column) -> dict[str, object]:
    """A line's colour, by who chose, and marker, by policy; random is grey and dashed."""
    marker = MARKERS.get(column.policy, "v")
    if column == RANDOM:
        return {"color": GREY, "linestyle": "--", "marker": marker, "zorder": 2}
    place = study.surrogates.index(column.surrogate)
    return {"color": COLOURS[place % len(COLOURS)], "marker": marker, "zorder": 3}


def by_policy(study: Study, column: Column) -> dict[str, object]:
    """The same with a colour for each policy, where one model chose by all of them."""
    if column == RANDOM:
        return by_surrogate(study, column)
    place = study.policies.index(column.policy)
    marker = MARKERS.get(column.policy, "v")
    return {"color": COLOURS[place % len(COLOURS)], "marker": marker, "zorder": 3}
