"""Draw how sure the surrogates are of what they have not seen: the paper's Figure 4."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salx.report.selections import SelectionFacts
from salx.report.style import GREEN, GREY, INK, WIDTH
from salx.report.types import Column, StudyFacts

BINS = 40


def collected(
    study: StudyFacts, selected: SelectionFacts, policy: str
) -> dict[str, list[np.ndarray]]:
    """Collect each surrogate's scores before its first choice, an array for each seed."""
    by_surrogate = {
        s: [scores.values for (c, _), scores in selected.scores.items() if c == Column(s, policy)]
        for s in study.surrogates
    }
    return {s: arrays for s, arrays in by_surrogate.items() if any(map(len, arrays))}


def figure(scores: dict[str, list[np.ndarray]], unit: str, shown: Sequence[str]) -> Figure:
    """Draw a panel for each of `shown`, all with the axes that hold all of `scores`."""
    pooled = {s: np.concatenate(arrays) for s, arrays in scores.items()}
    low = min(0.0, *(float(v.min()) for v in pooled.values()))
    high = max(float(v.max()) for v in pooled.values())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    tallest = max(np.histogram(v, edges)[0].max() / len(scores[s]) for s, v in pooled.items())
    made = Figure(figsize=(WIDTH * len(shown), 2.3), layout="constrained")
    for axes, surrogate in zip(made.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        panel(axes, pooled[surrogate], len(scores[surrogate]), edges)
        axes.set_ylim(0, 1.08 * tallest)
        axes.set_title(surrogate)
        axes.set_xlabel(unit)
    return made


def panel(axes: Axes, values: np.ndarray, seeds: int, edges: np.ndarray) -> None:
    """Draw the lower nine tenths, the top tenth and the mean; counts are means over seeds."""
    cut, centre = float(np.quantile(values, 0.9)), float(values.mean(dtype=np.float64))
    tenths = [values[values < cut], values[values >= cut]]
    weights = [np.full(len(tenth), 1 / seeds) for tenth in tenths]
    axes.hist(
        tenths, edges, weights=weights, stacked=True, color=[GREY, GREEN],
        label=["lower 90 %", "top 10 %"],
    )  # fmt: skip
    axes.axvline(centre, color=INK, linewidth=1, linestyle="--", label=f"mean {centre:.3g}")
    axes.set_ylabel("examples" if seeds == 1 else f"examples (mean of {seeds} seeds)")
    axes.grid(axis="x", visible=False)
    axes.legend(loc="upper right")
