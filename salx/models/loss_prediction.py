"""Learning loss: D. Yoo, I. S. Kweon, "Learning Loss for Active Learning", arXiv 1905.03677.

A small module that reads a network's intermediates and predicts the loss of each image, or of
each pixel. It is trained with the network to rank the two examples of a pair.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.models.layers import mean_pool, resize

PIXEL_TAPS = ("low_level", "high_level", "aspp", "before_last")


class LossPrediction(nn.Module):
    """Each tap to `width` channels and ReLU, joined, to one number.

    Classifiers: the maps of all stages, each averaged over its places, through linear layers.
    Segmentation, which arXiv 1905.03677 does not treat: 1x1 convolutions in their place, joined
    at the first tap's size and brought to the logits'. `weight` is the loss's factor beside the
    network's own; after the share `attached` of the training it moves the network no more.
    """

    width: int = 128
    margin: float = 1.0
    weight: float = 1.0
    attached: float = 0.6

    @nn.compact
    def __call__(
        self, logits: jax.Array, out: dict[str, jax.Array], dense: bool = False
    ) -> jax.Array:
        """Predict float32 [B] or, where it is `dense`, [B, H, W].

        Args:
          logits: [B, (H, W,) C].
          out: the network's intermediates.
          dense: whether there is a loss for each pixel.
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
    predicted: jax.Array, losses: jax.Array, counted: jax.Array, margin: float
) -> jax.Array:
    """Compute the mean of max(0, margin - sign(l_i - l_j) (p_i - p_j)), i and j = B - 1 - i a pair.

    All arguments are [B, ...] of the global batch, or of one of its parts, B even; a place counts
    where it does in both examples. No gradient flows into `losses`. Both examples compute the
    term of their pair, as halves of a batch would lie on halves of the devices.
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
    logits: jax.Array,
    out: dict[str, jax.Array],
    dense: bool,
    losses: jax.Array,
    counted: jax.Array,
    progress: jax.Array,
) -> jax.Array:
    """Compute what is added to the network's own loss at `progress` in [0, 1) of the training."""
    free = progress >= head.attached
    taps = jax.tree.map(lambda x: jnp.where(free, jax.lax.stop_gradient(x), x), out)
    predicted = head.apply({"params": params}, logits, taps, dense)
    return head.weight * ranking_loss(predicted, losses, counted, head.margin)
