"""Learning loss: D. Yoo, I. S. Kweon, "Learning Loss for Active Learning", arXiv 1905.03677.

A small module that reads a network's intermediates and predicts the loss of each image, or of
each pixel. It is trained with the network to rank the two examples of a pair.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32

from salx.models.layers import mean_pool, resize

PIXEL_TAPS = ("low_level", "high_level", "aspp", "before_last")


class LossPrediction(nn.Module):
    """Predict each example's loss from a network's intermediates.

    Each tap goes through a linear layer and ReLU; the results are joined, and a last linear layer
    makes one number of them. Of a classifier the taps are the maps of all stages, each averaged
    over its places. Of a segmentation network, which the paper does not treat, they are
    PIXEL_TAPS: the layers act on each pixel, their results are joined at the first tap's size,
    and the prediction is resized to the logits'.

    Attributes:
      width: channels that each tap is brought to.
      margin: by how much the two predictions of a pair are to differ, see `ranking_loss`.
      weight: the ranking loss's factor where it is added to the network's own loss.
      attached: the share of the training, 0 to 1, after which its gradient moves the network no
        more.
    """

    width: int = 128
    margin: float = 1.0
    weight: float = 1.0
    attached: float = 0.6

    @nn.compact
    def __call__(
        self,
        logits: Float[Array, "batch *places classes"],
        out: dict[str, Float[Array, "batch ..."]],
        dense: bool = False,
    ) -> Float32[Array, " batch *places"]:
        """Predict a loss for each image or, where it is `dense`, for each pixel.

        Args:
          logits: the network's, of which only height and width are read.
          out: the network's intermediates.
          dense: whether there is a loss for each pixel.

        Returns:
          The predictions, without a unit: only their order is trained.
        """
        if dense:
            taps = [out[name].astype(jnp.float32) for name in PIXEL_TAPS]
        else:
            taps = [mean_pool(out[name]) for name in sorted(out) if name != "features"]
        hidden = [nn.relu(nn.Dense(self.width)(tap)) for tap in taps]
        if dense:
            hidden = [resize(each, hidden[0].shape[1:3]) for each in hidden]
        predicted = nn.Dense(1)(jnp.concatenate(hidden, -1))
        if dense:
            predicted = resize(predicted, logits.shape[1:3])
        return predicted[..., 0]


def ranking_loss(
    predicted: Float[Array, " batch *places"],
    losses: Float[Array, " batch *places"] | Float[np.ndarray, " batch *places"],
    counted: Bool[Array, " batch *places"] | Bool[np.ndarray, " batch *places"],
    margin: float | Float[Array, ""],
) -> Float[Array, ""]:
    """Compute how badly predictions rank the two losses of each pair.

    With predictions p, losses l, and examples i and j = B - 1 - i as a pair, it is the mean of

        max(0, margin - sign(l_i - l_j) (p_i - p_j)),

    as in arXiv 1905.03677. Both examples compute the term of their pair, as halves of a batch
    would lie on halves of the devices.

    Args:
      predicted: p, of the global batch, or of one of its parts; B is even.
      losses: l, likewise; no gradient flows into them.
      counted: what counts; a place of a pair counts where it does in both examples.
      margin: by how much the predictions of a pair are to differ.

    Returns:
      The mean over what counts, 0 where nothing does.
    """

    def paired(values):
        return values, values[::-1]

    (p_i, p_j), (l_i, l_j) = paired(predicted), paired(jax.lax.stop_gradient(losses))
    counts = jnp.logical_and(*paired(counted))
    terms = jnp.maximum(0.0, margin - jnp.sign(l_i - l_j) * (p_i - p_j))
    return jnp.sum(jnp.where(counts, terms, 0.0)) / jnp.maximum(jnp.sum(counts), 1)


def auxiliary_loss(
    head: LossPrediction,
    params: dict[str, Any],
    logits: Float[Array, "batch *places classes"],
    out: dict[str, Float[Array, "batch ..."]],
    dense: bool,
    losses: Float[Array, " batch *places"],
    counted: Bool[Array, " batch *places"] | Bool[np.ndarray, " batch *places"],
    progress: float | Float[Array, ""],
) -> Float[Array, ""]:
    """Compute what is added to the network's own loss, so that the module is trained with it.

    Args:
      head: the module.
      params: its parameters.
      logits: the network's.
      out: the network's intermediates.
      dense: whether there is a loss for each pixel.
      losses: the network's own, of each image or pixel.
      counted: which of them count.
      progress: the share of the training that is done, in [0, 1); from `head.attached` on no
        gradient flows into `out`.

    Returns:
      `head.weight` times the ranking loss.
    """
    free = progress >= head.attached
    taps = jax.tree.map(lambda x: jnp.where(free, jax.lax.stop_gradient(x), x), out)
    predicted = head.apply({"params": params}, logits, taps, dense)
    return head.weight * ranking_loss(predicted, losses, counted, head.margin)
