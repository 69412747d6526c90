"""True-Loss: the cross-entropy with the label that nobody has yet (the paper's Eq. 4).

An oracle's reference, not an upper bound: the largest loss need not be the best lesson.
"""

from salx import selection, tasks
from salx.selection import Policy


def policy(options) -> Policy:
    """Options: `aggregation`, "sum" (default) or "mean" over an image's labelled pixels."""
    options = selection.options("true_loss", options, {"aggregation": "sum"})
    how = selection.chosen("true_loss", options, "aggregation", selection.AGGREGATIONS)

    def example(out):
        logits, labels = out["logits"][None], out["label"][None]
        valid = out["valid"] & tasks.counted(labels)[0]
        return selection.aggregated(tasks.pixel_losses(logits, labels)[0], valid, how)

    return Policy("true_loss", options, example=example, labels=True)
