"""Draw the gains of all pairs over random."""

from matplotlib.figure import Figure

from salx.report.analysis.grids import Grid, Pair
from salx.report.figures.style import GREY, WIDTH, by_surrogate, styled
from salx.report.load.types import Work


@styled()
def gains(work: Work, grid: Grid) -> Figure:
    """Draw every pair's gain over random with its 95 % interval where there is one.

    A dot is filled where the corrected test tells the gain from chance.

    Args:
      work: all results.
      grid: a policy's.

    Returns:
      The figure.
    """
    rows = [row for row in grid.rows if any(pair.gain for pair in row)]
    entries = [e for row in rows for e in (row[0].deployment, *(c for c in row if c.gain))]
    figure = Figure(figsize=(WIDTH, 0.7 + 0.19 * len(entries)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=1, linestyle="--")
    for line, entry in enumerate(entries):
        if isinstance(entry, Pair):
            gain, shape = entry.gain, by_surrogate(work.study, entry.column)
            filled = shape["color"] if gain.beyond_chance else "white"
            if gain.low is not None:
                axes.plot([gain.low, gain.high], [line] * 2, color=shape["color"], linewidth=1.2)
            axes.plot([gain.mean], [line], markerfacecolor=filled, markersize=4.5, **shape)
    axes.set_yticks(range(len(entries)), [e if isinstance(e, str) else named(e) for e in entries])
    for label, entry in zip(axes.get_yticklabels(), entries, strict=True):
        label.set_fontweight("bold" if isinstance(entry, str) else "normal")
    axes.set_ylim(len(entries) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"gain over random ({grid.unit} points)")
    if len(work.study.policies) > 1:
        axes.set_title(grid.title)
    axes.grid(axis="y", visible=False)
    return figure


def named(pair: Pair) -> str:
    """Name who chose.

    Args:
      pair: one of the grid.

    Returns:
      `res8`, or `res8 (itself)` on the diagonal.
    """
    return f"{pair.column.surrogate} (itself)" if pair.diagonal else pair.column.surrogate
