"""Style the figures: ink, colours, markers, and their bytes.

Drawn without pyplot and without a date, so that equal results give equal bytes.
"""

import io
from contextlib import AbstractContextManager

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from salx.report.load.types import RANDOM, Column, PolicyFacts, StudyFacts

# M. Okabe and K. Ito's colours, which all kinds of colour vision tell apart (less the yellow).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
GREEN = "#009e73"
GREY = "#8a8a8a"
INK, LINE = "#202326", "#d9d9d6"
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


def styled() -> AbstractContextManager[None]:
    """Draw in this style: a context, and a decorator of functions that draw.

    Returns:
      The context.
    """
    return matplotlib.rc_context(STYLE)


def encode(figure: Figure, kind: str) -> bytes:
    """Encode a figure, with nothing in it that changes from day to day.

    Args:
      figure: the figure.
      kind: `svg` or `png`.

    Returns:
      The content of a file.
    """
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    file = io.BytesIO()
    with styled():
        figure.savefig(file, format=kind, metadata=metadata, dpi=200, transparent=kind == "svg")
    return file.getvalue()


def marker(study: StudyFacts, column: Column) -> str:
    """Take the marker of a column's policy.

    Args:
      study: what the study is.
      column: who chose.

    Returns:
      matplotlib's name of it; the general one for what matplotlib lacks.
    """
    wanted = study.policy_facts[column.policy].marker
    return wanted if wanted in Line2D.markers else PolicyFacts.marker


def by_surrogate(study: StudyFacts, column: Column) -> dict[str, object]:
    """Give a line its colour, by who chose, and marker, by policy; random is grey and dashed.

    Args:
      study: what the study is.
      column: who chose.

    Returns:
      Arguments of matplotlib's plot.
    """
    if column == RANDOM:
        shape = {"color": GREY, "linestyle": "--", "zorder": 2}
    else:
        number = study.surrogates.index(column.surrogate)
        shape = {"color": COLOURS[number % len(COLOURS)], "zorder": 3}
    return shape | {"marker": marker(study, column)}


def by_policy(study: StudyFacts, column: Column) -> dict[str, object]:
    """Give a line its colour and marker by policy, where one model chose by all of them.

    Args:
      study: what the study is.
      column: who chose.

    Returns:
      Arguments of matplotlib's plot.
    """
    if column == RANDOM:
        return by_surrogate(study, column)
    number = study.policies.index(column.policy)
    colour = COLOURS[number % len(COLOURS)]
    return {"color": colour, "marker": marker(study, column), "zorder": 3}
