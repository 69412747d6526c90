"""Several surrogates on one pool: how far their picks and their orders agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from salx.scoring.stages import Choice
from salx.selection.result import Selection


@dataclass(frozen=True)
class Opinion:
    """What one surrogate chose, and the share of each class in its predictions."""

    name: str
    choice: Choice
    mix: dict[str, float]


def opinion(selection: Selection) -> Opinion:
    """Take what is compared of a selection; it is named by its run or file."""
    origin = selection.header["checkpoint"] or {}
    label = selection.surrogate.label if selection.surrogate else selection.policy.name
    name = origin.get("run") or origin.get("file") or label
    return Opinion(name, selection.choice, selection.mix())


def compare(opinions: Sequence[Opinion]) -> dict[str, Any]:
    """{"surrogates": spread and class mix of each, "pairs": agreement of any two}.

    Jaccard is |A and B| / |A or B| of the picks; Spearman's and Kendall's (tau-b) rank
    correlations are over the scores of all that could be picked, and absent for policies without
    scores.
    """
    return {
        "surrogates": [
            {
                "name": opinion.name,
                "scores": spread(opinion.choice.all),
                "predictions": opinion.mix,
            }
            for opinion in opinions
        ],
        "pairs": [agreement(a, b) for a, b in combinations(opinions, 2)],
    }


def spread(scores: np.ndarray | None) -> dict[str, float] | None:
    """Mean, standard deviation and quantiles of the scores."""
    if scores is None:
        return None
    low, quarter, half, most, high = np.quantile(scores, (0, 0.25, 0.5, 0.75, 1)).tolist()
    moments = {"mean": scores.mean(dtype=np.float64), "std": scores.std(dtype=np.float64)}
    moments = {name: float(value) for name, value in moments.items()}
    return {**moments, "min": low, "q25": quarter, "median": half, "q75": most, "max": high}


def agreement(a: Opinion, b: Opinion) -> dict[str, Any]:
    """Overlap of the picks and correlation of the scores."""
    from scipy import stats  # seconds of imports, which a single selection has no need of

    ours, theirs = set(a.choice.ids.tolist()), set(b.choice.ids.tolist())
    ranks: dict[str, float | None] = {"spearman": None, "kendall": None}
    x, y = a.choice.all, b.choice.all
    if x is not None and y is not None and np.ptp(x) and np.ptp(y):
        ranks["spearman"] = _first(stats.spearmanr(x, y))
        ranks["kendall"] = _first(stats.kendalltau(x, y))
    jaccard = len(ours & theirs) / len(ours | theirs)
    return {"a": a.name, "b": b.name, "jaccard": jaccard, **ranks}


def _first(result: Any) -> float:
    """The statistic of one of scipy's results."""
    return float(result.statistic)


def in_words(comparison: dict[str, Any]) -> str:
    """The comparison of surrogates as plain lines."""
    lines = []
    for each in comparison["surrogates"]:
        scores, mix = each["scores"], each["predictions"]
        most = sorted(mix, key=mix.get, reverse=True)[:3]
        spread = f"scores {scores['mean']:.4g} +- {scores['std']:.4g}" if scores else "no scores"
        mostly = ", ".join(f"{name} {100 * mix[name]:.0f} %" for name in most)
        lines.append(f"{each['name']}: {spread}; predicts {mostly}")
    for both in comparison["pairs"]:
        text = f"{both['a']} and {both['b']}: overlap (Jaccard) {both['jaccard']:.3f}"
        if both["spearman"] is not None:
            text += f", Spearman {both['spearman']:.3f}, Kendall {both['kendall']:.3f}"
        lines.append(text)
    return "\n".join(lines)
