"""LLAL: the loss that a module trained beside the surrogate predicts (arXiv 1905.03677)."""

from dataclasses import dataclass

import jax

from salx.infra.errors import InputError
from salx.models.loss_prediction import LossPrediction
from salx.policies.policy import Needs, ScorePolicy
from salx.surrogates.outputs import Outputs


@dataclass(frozen=True)
class LearningLoss(ScorePolicy):
    """Choose what a small module beside the surrogate expects to be learned badly.

    aggregation: "sum" or "mean" over an image's pixels, where it has any; width, margin, weight
    and attached as salx.models.loss_prediction explains them.
    """

    name = "learning_loss"
    title = "learning loss"
    unit = "predicted loss"
    marker = "o"

    aggregation: str = "sum"
    width: int = 128
    margin: float = 1.0
    weight: float = 1.0
    attached: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        for option in ("width", "margin", "weight", "attached"):
            value = getattr(self, option)
            if not isinstance(value, int | float) or value <= 0:
                raise InputError(f"{option} of policy learning_loss must be above 0")

    @property
    def needs(self) -> Needs:
        """The module, trained along with the surrogate."""
        return Needs(head=LossPrediction(self.width, self.margin, self.weight, self.attached))

    def values(self, out: Outputs) -> jax.Array:
        """Return the predicted loss of each place, float32[places]."""
        return out.head
