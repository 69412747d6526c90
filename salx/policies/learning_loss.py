"""LLAL: the loss that a module trained along with the surrogate predicts.

D. Yoo and I. S. Kweon, "Learning Loss for Active Learning", arXiv 1905.03677.
"""

from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Array, Float

from salx.infra.limits import Real, Whole
from salx.models.loss_prediction import LossPrediction
from salx.policies.policy import Aggregation, Needs, ScorePolicy
from salx.surrogates.outputs import Outputs

Positive = Annotated[float, Real("(0, 1e6]")]


@dataclass(frozen=True)
class LearningLoss(ScorePolicy):
    """Choose what a small module, trained with the surrogate, predicts the largest loss of.

    Attributes:
      aggregation: "sum" or "mean" over an image's pixels, where the surrogate predicts
        pixels.
      width: channels of the module's layers.
      margin: by how much the predictions of a pair should differ.
      weight: of the module's loss beside the task's.
      attached: the share of a training in which the module also moves the network.

    Equation:
      score(x) = predicted loss of x; trained on pairs (i, j) with
      max(0, margin - sign(loss_i - loss_j) (predicted_i - predicted_j))

    Source:
      D. Yoo and I. S. Kweon, CVPR 2019, arXiv 1905.03677.

    Cost:
      One forward pass for each example of the pool; a module that is trained along with the
      surrogate, in every cycle.

    Use:
      In a study, where the loss says more than the entropy of classes does. Alone it cannot ask
      a file of weights: the surrogate has to be a run that was trained with it.
    """

    name = "learning_loss"
    title = "learning loss"
    unit = "predicted loss"
    marker = "o"

    aggregation: Aggregation = "sum"
    width: Annotated[int, Whole(1, 8192)] = 128
    margin: Positive = 1.0
    weight: Positive = 1.0
    attached: Positive = 0.6

    @property
    def needs(self) -> Needs:
        """Ask for the module, trained along with the surrogate."""
        return Needs(head=LossPrediction(self.width, self.margin, self.weight, self.attached))

    def values(self, out: Outputs) -> Float[Array, "*places"]:
        """Return the predicted loss of each place."""
        return out.head
