"""Several surrogates on one pool: how far their picks and their orders agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Shaped

from salx.scoring.stages import Choice
from salx.selection.result import Selection


@dataclass(frozen=True)
class Opinion:
    """Hold what one surrogate chose, and what it predicts.

    Attributes:
      name: of its run or file.
      choice: its picks and the scores of all candidates.
      mix: of each class its share in the predictions, 0 to 1.
    """

    name: str
    choice: Choice
    mix: dict[str, float]


def opinion(selection: Selection) -> Opinion:
    """Take of a selection what is compared.

    Args:
      selection: what one surrogate chose.

    Returns:
      Its picks, scores and predictions, named by its run or file, else by its surrogate or policy.
    """
    origin = selection.header["checkpoint"] or {}
    label = selection.surrogate.label if selection.surrogate else selection.policy.name
    name = origin.get("run") or origin.get("file") or label
    return Opinion(name, selection.choice, selection.mix())


def compare(opinions: Sequence[Opinion]) -> dict[str, Any]:
    """Compare what several surrogates chose from one pool.

    Args:
      opinions: of each surrogate, on the same candidates.

    Returns:
      {"surrogates": [...], "pairs": [...]} in plain values. Of each surrogate its "name", the mean,
      standard deviation and quantiles of its "scores", and the share of each class in its
      "predictions". Of any two the names "a" and "b", "jaccard" = |A and B| / |A or B| of the
      picks, and the rank correlations "spearman" and "kendall" (tau-b) over the scores of all that
      could be picked, None for policies without scores.
    """
    return {
        "surrogates": [
            {
                "name": opinion.name,
                "scores": _spread(opinion.choice.all),
                "predictions": opinion.mix,
            }
            for opinion in opinions
        ],
        "pairs": [_agreement(a, b) for a, b in combinations(opinions, 2)],
    }


def _spread(scores: Shaped[np.ndarray, " n"] | None) -> dict[str, float] | None:
    """Mean, standard deviation and quantiles of the scores."""
    if scores is None:
        return None
    low, quarter, half, most, high = np.quantile(scores, (0, 0.25, 0.5, 0.75, 1)).tolist()
    moments = {"mean": scores.mean(dtype=np.float64), "std": scores.std(dtype=np.float64)}
    moments = {name: float(value) for name, value in moments.items()}
    return {**moments, "min": low, "q25": quarter, "median": half, "q75": most, "max": high}


def _agreement(a: Opinion, b: Opinion) -> dict[str, Any]:
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
    """Tell a comparison in plain lines.

    Args:
      comparison: of `compare`.

    Returns:
      A line for each surrogate, then one for each pair.
    """
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
