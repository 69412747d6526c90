"""A network that the package does not have: two linear layers, with dropout between."""

import flax.linen as nn
import jax.numpy as jnp


class TwoLayers(nn.Module):
    """Pixels, a hidden layer, dropout, and a last linear layer over what is left."""

    classes: int
    width: int = 16
    dropout: float = 0.2

    last_layer = "last"

    @nn.compact
    def __call__(self, x, *, batch_stats, dropout):
        x = nn.relu(nn.Dense(self.width, name="hidden")(x.reshape(x.shape[0], -1)))
        x = nn.Dropout(self.dropout, deterministic=not dropout)(x)
        out = {"stage1": x[:, None, None, :], "features": x.astype(jnp.float32)}
        return nn.Dense(self.classes, name="last")(x), out


class Masks(nn.Module):
    """Its logits are ones that went through dropout: the masks themselves, 0 or 2."""

    classes: int

    @nn.compact
    def __call__(self, x, *, batch_stats, dropout):
        ones = jnp.ones((x.shape[0], 64))
        masks = nn.Dropout(0.5, deterministic=not dropout)(ones)
        return masks, {"features": masks}


class SmallConv(nn.Module):
    """Two normalised convolutions and a linear layer: what compiles soon and still normalises by
    the whole batch."""

    classes: int
    width: int = 8

    last_layer = "last"

    @nn.compact
    def __call__(self, x, *, batch_stats, dropout):
        out = {}
        for stage in (1, 2):
            x = nn.Conv(stage * self.width, (3, 3), stage, use_bias=False)(x)
            x = nn.relu(nn.BatchNorm(not batch_stats, momentum=0.9)(x))
            out[f"stage{stage}"] = x
        out["features"] = x.reshape(x.shape[0], -1)
        return nn.Dense(self.classes, name="last")(out["features"]), out
