"""True-Loss: the cross-entropy with the label that nobody has yet (the paper's Eq. 4).

An oracle's reference, not an upper bound: the largest loss need not be the best lesson.
"""

from salx import policies
from salx.policies import Policy


def policy(options) -> Policy:
    """Options: `aggregation`, "sum" (default) or "mean" over an image's labelled pixels."""
    options = policies.options("true_loss", options, {"aggregation": "sum"})

    def values(out):
        return out["task"].losses(out["logits"], out["label"])

    def counts(out):
        return out["task"].counted(out["label"])

    return policies.of_values("true_loss", options, values, counts, labels=True)
