"""True-Loss: the cross-entropy with the label that nobody has yet (the paper's Eq. 4).

An oracle's reference, not an upper bound: the largest loss need not be the best lesson.
"""

from dataclasses import dataclass

from jaxtyping import Array, Bool, Float32

from salx.policies.policy import Aggregation, ScorePolicy
from salx.surrogates.outputs import Outputs
from salx.tasks import AnyArray


@dataclass(frozen=True)
class TrueLoss(ScorePolicy):
    """Choose what the surrogate is most wrong about: the largest loss with the true label.

    Attributes:
      aggregation: "sum" or "mean" over an image's labelled pixels, where the surrogate
        predicts pixels.

    Equation:
      score(x) = loss of x with its true label

    Source:
      The paper's Eq. 4.

    Cost:
      One forward pass for each example of the pool, and the labels of all of it.

    Use:
      As a reference in a study, on data whose labels are there already. It is no way to choose.
    """

    name = "true_loss"
    title = "true loss"
    unit = "loss"
    marker = "^"
    oracle = True

    aggregation: Aggregation = "sum"

    def values(self, out: Outputs) -> Float32[Array, "*places"]:
        """Compute the loss of each place in nats; 0 where no label counts."""
        return out.task.losses(out.logits[None], out.label[None])[0]

    def counts(self, out: Outputs) -> Bool[AnyArray, "*places"]:
        """Tell which places are image and have a label that counts."""
        return out.valid & out.task.counted(out.label[None])[0]
