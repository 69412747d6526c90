"""LLAL: the loss that a module trained beside the surrogate predicts (arXiv 1905.03677)."""

from salx import policies
from salx.infra.errors import InputError
from salx.models.loss_prediction import LossPrediction
from salx.policies import Policy

DEFAULTS = {"aggregation": "sum", "width": 128, "margin": 1.0, "weight": 1.0, "attached": 0.6}


def policy(options) -> Policy:
    """Options: `aggregation`, "sum" (default) or "mean" over an image's pixels, if it has any;
    `width`, `margin`, `weight`, `attached` as models.loss_prediction explains them."""
    options = policies.options("learning_loss", options, DEFAULTS)
    for option in ("width", "margin", "weight", "attached"):
        if not isinstance(options[option], int | float) or options[option] <= 0:
            raise InputError(f"{option} of policy learning_loss must be above 0")
    shape = {name: value for name, value in options.items() if name != "aggregation"}

    head = LossPrediction(**shape)
    return policies.of_values(
        "learning_loss", options, lambda out: out["predicted_loss"], head=head
    )
