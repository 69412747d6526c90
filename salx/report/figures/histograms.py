"""Draw how sure the surrogates are of what they have not seen: the paper's Figure 4."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salx.report.figures.style import GREEN, GREY, INK, WIDTH, styled
from salx.report.load.selections import SelectionFacts
from salx.report.load.types import Column, StudyFacts

BINS = 40


def collected(
    study: StudyFacts, selected: SelectionFacts, policy: str
) -> dict[str, list[Float[np.ndarray, " n"]]]:
    """Collect each surrogate's scores before its first choice.

    Args:
      study: what the study is.
      selected: what choosing left.
      policy: the label of the policy that scored.

    Returns:
      By surrogate an array for each seed; surrogates without scores are left out.
    """
    by_surrogate = {
        s: [scores.values for (c, _), scores in selected.scores.items() if c == Column(s, policy)]
        for s in study.surrogates
    }
    return {s: arrays for s, arrays in by_surrogate.items() if any(map(len, arrays))}


@styled()
def figure(
    scores: dict[str, list[Float[np.ndarray, " n"]]], unit: str, shown: Sequence[str]
) -> Figure:
    """Draw a panel for each surrogate, all with the axes that hold all scores.

    Args:
      scores: by surrogate an array for each seed.
      unit: what the axis of the scores says.
      shown: the surrogates that are drawn.

    Returns:
      The figure.
    """
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


def panel(
    axes: Axes, values: Float[np.ndarray, " n"], seeds: int, edges: Float[np.ndarray, " b"]
) -> None:
    """Draw the lower nine tenths, the top tenth and the mean.

    Args:
      axes: the panel.
      values: the scores of all seeds.
      seeds: their number; counts are means over them.
      edges: of the bins.
    """
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
