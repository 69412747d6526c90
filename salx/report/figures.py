"""Draw the report's figures, each for the page, for files beside it, or for both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure

from salx.report import curves, histograms
from salx.report.selections import SelectionFacts
from salx.report.style import GREY, STYLE, WIDTH, by_surrogate
from salx.report.tables import Cell, Table
from salx.report.types import Work


@dataclass(frozen=True)
class Drawn:
    """Hold a figure.

    Args:
      kind: the page's section, or "file" for what stands beside the page alone.
      policy: the label of the policy that it is about, if it is about one.
      name: that of its files, and its id on the page.
      about: what it shows, for those who cannot see it.
      file: whether it is also written as files.
    """

    kind: str
    policy: str
    name: str
    about: str
    figure: Figure
    file: bool = True


def draw(work: Work, selected: SelectionFacts, built: Sequence[Table]) -> Iterator[Drawn]:
    """Draw all; Figures 3 and 4 are panels on the page and one row of them in a file."""
    with matplotlib.rc_context(STYLE):
        for table in built:
            yield from pairs(work, table)
        yield from budgets(work)
        for policy in work.study.policies:
            yield from scores(work, selected, policy)


def pairs(work: Work, table: Table) -> Iterator[Drawn]:
    """Draw each model against the budget, and the gains of all pairs."""
    policy = table.policy
    for model in work.study.deployments:
        about = f"{model} against the budget, by who chose by {table.title}"
        figure = curves.deployment(work, model, policy)
        yield Drawn("curve", policy, f"curve_{policy}_{model}", about, figure)
    if any(cell.gain for cell in table.cells):
        about = f"gains over random of what was chosen by {table.title}"
        yield Drawn("gain", policy, f"gain_{policy}", about, gains(work, table))


def budgets(work: Work) -> Iterator[Drawn]:
    """Draw each model choosing for itself: the paper's Figure 3."""
    models = [m for m in work.study.deployments if m in work.study.surrogates]
    for model in models:
        about = f"{model} choosing for itself, by policy, against the budget"
        figure = curves.policies(work, [model])
        yield Drawn("policies", "", f"policies_{model}", about, figure, file=False)
    if models:
        about = "every model choosing for itself"
        yield Drawn("file", "", "figure_3", about, curves.policies(work, models))


def scores(work: Work, selected: SelectionFacts, policy: str) -> Iterator[Drawn]:
    """Draw each surrogate's scores: the paper's Figure 4."""
    collected = histograms.collected(work.study, selected, policy)
    title, unit = work.study.title(policy), work.study.policy_facts[policy].unit
    for surrogate in collected:
        about = f"{surrogate}: scores by {title} before its first choice"
        figure = histograms.figure(collected, unit, [surrogate])
        yield Drawn("scores", policy, f"scores_{policy}_{surrogate}", about, figure, file=False)
    if collected:
        figure = histograms.figure(collected, unit, list(collected))
        yield Drawn("file", policy, f"figure_4_{policy}", f"scores by {title}", figure)


def gains(work: Work, table: Table) -> Figure:
    """Draw every pair's gain over random with its 95 % interval where there is one, filled where
    the corrected test tells it from chance."""
    rows = [row for row in table.rows if any(cell.gain for cell in row)]
    entries = [e for row in rows for e in (row[0].deployment, *(c for c in row if c.gain))]
    figure = Figure(figsize=(WIDTH, 0.7 + 0.19 * len(entries)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=1, linestyle="--")
    for line, entry in enumerate(entries):
        if isinstance(entry, Cell):
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
    axes.set_xlabel(f"gain over random ({table.unit} points)")
    if len(work.study.policies) > 1:
        axes.set_title(table.title)
    axes.grid(axis="y", visible=False)
    return figure


def named(cell: Cell) -> str:
    """Name who chose: `res8`, or `res8 (itself)` on the diagonal."""
    return f"{cell.column.surrogate} (itself)" if cell.diagonal else cell.column.surrogate
