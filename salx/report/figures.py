"""The report's figures: results against the budget, gains over random, entropies of the pool.

Drawn without pyplot and without a date, so that equal results give equal bytes.
"""

import io
import math
from collections.abc import Iterator

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from salx.report import statistics
from salx.report.tables import SCALE, Cell, Table
from salx.report.values import RANDOM, Column, Scores, Study, Work, taken
from salx.report.words import percent

# M. Okabe and K. Ito's colours, which all kinds of colour vision tell apart (less the yellow).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
GREY = "#8a8a8a"
INK, LINE = "#202326", "#d9d9d6"
MARKERS = "osD^v"
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


def draw(work: Work, table: Table) -> Iterator[tuple[str, str, Figure]]:
    """Yields (kind, name, figure): the kinds are curve, gain and entropy."""
    with matplotlib.rc_context(STYLE):
        for deployment in work.study.deployments:
            yield "curve", f"curve_{deployment}", curve(work, deployment)
        if any(cell.gain for cell in table.cells):
            yield "gain", "gain", gains(work.study, table)
        highest = max((float(s.values.max()) for s in work.scores if s.values.size), default=1.0)
        for scores in work.scores:
            file = f"{scores.column.policy}_{scores.column.surrogate}"
            yield "entropy", file, histogram(work.study, scores, highest)


def encode(figure: Figure, kind: str) -> bytes:
    """The figure as `svg` or `png` bytes, with nothing in them that changes from day to day."""
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format=kind, metadata=metadata, dpi=200, transparent=kind == "svg")
    return file.getvalue()


def look(study: Study, column: Column) -> dict[str, object]:
    """A column's colour (by surrogate) and marker (by policy); random is grey and dashed."""
    if column == RANDOM:
        return {"color": GREY, "linestyle": "--", "marker": "o", "zorder": 2}
    surrogates, policies = study.config["surrogates"], study.config["policies"]
    return {
        "color": COLOURS[surrogates.index(column.surrogate) % len(COLOURS)],
        "marker": MARKERS[policies.index(column.policy) % len(MARKERS)],
        "zorder": 3,
    }


def curve(work: Work, deployment: str) -> Figure:
    """One deployment's result against the budget, a line for each who chose, bars are std."""
    study = work.study
    abreast = 2 if max(len(study.label(column)) for column in study.columns) < 16 else 1
    height = 2.5 + 0.15 * math.ceil(len(study.columns) / abreast)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    width = study.budgets[-1] / 150
    for place, column in enumerate(study.columns):
        points = list(measured(work, deployment, column))
        if not points:
            continue
        x, middle, spread = (np.array(values, float) for values in zip(*points, strict=True))
        shift = width * (place - (len(study.columns) - 1) / 2)  # so that bars stand side by side
        axes.errorbar(
            x + shift, middle, yerr=spread, label=name(study, column, deployment),
            markersize=3, linewidth=1.1, elinewidth=0.8, **look(study, column),
        )  # fmt: skip
    axes.set_title(deployment)
    axes.set_ylabel(f"{study.metric} ({study.unit})")
    axes.yaxis.set_major_locator(MaxNLocator(6))
    budget_axis(axes, study)
    if axes.lines:
        figure.legend(loc="outside lower left", ncols=abreast, title="chosen by", alignment="left")
    return figure


def name(study: Study, column: Column, deployment: str) -> str:
    return study.label(column) + (" (itself)" if column.surrogate == deployment else "")


def measured(work: Work, deployment: str, column: Column) -> Iterator[tuple]:
    """(labelled, mean, std) for the cycles that have results; from one seed std is nan."""
    for cycle, labelled in enumerate(work.study.budgets):
        values = [SCALE * r.value for r in taken(work, deployment, column, cycle).values()]
        if values:
            spread = statistics.deviation(values)
            yield labelled, statistics.mean(values), np.nan if spread is None else spread


def budget_axis(axes, study: Study) -> None:
    """Labelled examples along x, each tick also as a share of the pool."""
    last = len(study.budgets) - 1
    cycles = sorted({round(last * part / 4) for part in range(5)})
    ticks = [study.budgets[cycle] for cycle in cycles]
    axes.set_xticks(ticks, [f"{percent(t, study.dataset['pool'])}\n{t:,}" for t in ticks])
    axes.set_xlabel("labelled (share of the pool, examples)")
    axes.grid(axis="x", visible=False)
    axes.set_xlim(0, study.budgets[-1] * 1.05)


def gains(study: Study, table: Table) -> Figure:
    """Every pair's gain over random, with its 95 % interval where there is one."""
    rows = [row for row in table.rows if any(cell.gain for cell in row)]
    entries = [entry for row in rows for entry in (row[0].deployment, *filter(has_gain, row))]
    figure = Figure(figsize=(WIDTH, 0.7 + 0.19 * len(entries)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=1, linestyle="--")
    for place, entry in enumerate(entries):
        if isinstance(entry, Cell):
            gain, shape = entry.gain, look(study, entry.column)
            filled = shape["color"] if gain.certain else "white"
            if gain.low is not None:
                axes.plot([gain.low, gain.high], [place] * 2, color=shape["color"], linewidth=1.2)
            axes.plot([gain.mean], [place], markerfacecolor=filled, markersize=4.5, **shape)
    names = [e if isinstance(e, str) else name(study, e.column, e.deployment) for e in entries]
    axes.set_yticks(range(len(entries)), names)
    for label, entry in zip(axes.get_yticklabels(), entries, strict=True):
        label.set_fontweight("bold" if isinstance(entry, str) else "normal")
    axes.set_ylim(len(entries) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"gain over random ({study.unit} points)")
    axes.grid(axis="y", visible=False)
    return figure


def has_gain(cell: Cell) -> bool:
    return cell.gain is not None


def histogram(study: Study, scores: Scores, highest: float) -> Figure:
    """How sure a surrogate is of the pool: its scores, the top tenth shaded, the mean marked."""
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    axes = figure.subplots()
    values = scores.values[np.isfinite(scores.values)]
    edges = np.linspace(min(0.0, float(values.min(initial=0))), highest, 41)
    top = float(np.quantile(values, 0.9)) if values.size else highest
    colour = look(study, scores.column)["color"]
    axes.axvspan(top, highest, color=colour, alpha=0.15, linewidth=0, label="top tenth")
    axes.hist(values, bins=edges, color=colour, alpha=0.85)
    if values.size:
        centre = float(values.mean(dtype=np.float64))
        axes.axvline(centre, color=INK, linewidth=1, label=f"mean {centre:.2f}")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    axes.set_title(study.label(scores.column))
    unit = "entropy (nats)" if scores.column.policy == "entropy" else "score"
    seeds = f"{len(scores.seeds)} seeds pooled" if scores.seeds[1:] else f"seed {scores.seeds[0]}"
    axes.set_xlabel(f"{unit}\ncycle {scores.cycle}, {len(scores.values):,} examples, {seeds}")
    axes.set_ylabel("examples (log)")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="upper right")
    return figure
