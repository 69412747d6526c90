"""DeepLabv3+: L.-C. Chen et al., arXiv 1802.02611, with one head over any backbone.

ASPP with plain convolutions of 256 channels, a decoder at stride 4 with two separable
convolutions: the head that gives the operations of the paper's Table 2.
"""

from collections.abc import Callable, Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.models.layers import HEAD, ConvNorm, Layers, Separable, conv_norm, mean_pool, resize
from salx.models.xception import separable_names


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, three dilated 3x3, the image's mean; then 1x1."""

    layers: Layers
    rates: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        branches = [ConvNorm(self.layers, 256, name="conv0")(x, train)]
        for k, rate in enumerate(self.rates, 1):
            conv = ConvNorm(self.layers, 256, 3, dilation=rate, name=f"conv{k}")
            branches.append(conv(x, train))
        mean = mean_pool(x)[:, None, None].astype(x.dtype)
        mean = ConvNorm(self.layers, 256, name="pool")(mean, train)
        branches.append(jnp.broadcast_to(mean, branches[0].shape))
        return ConvNorm(self.layers, 256, name="project")(jnp.concatenate(branches, -1), train)


class DeepLabV3Plus(nn.Module):
    """A backbone's last map through ASPP, joined at stride 4 by its first, to logits per pixel.

    Returns:
      logits float32[B, H, W, classes] at the images' size and {"low_level", "high_level": the
      backbone's first and last map, "aspp", "before_last": at stride 4, what the last
      convolution sees}, all [B, h, w, c]. Raises ValueError for bad options.
    """

    classes: int
    backbone: nn.Module
    rates: tuple[int, ...] = (6, 12, 18)
    dtype: str = "float32"
    dropout: float = 0.1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool):
        layers, size = Layers(self.dtype), x.shape[1:3]
        _, maps = self.backbone(x, train)
        low, *_, high = (maps[name] for name in sorted(maps) if name != "features")
        out = {"low_level": low, "high_level": high}
        x = out["aspp"] = ASPP(layers, self.rates, name="aspp")(high, train)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        low = ConvNorm(layers, 48, name="low_level")(low, train)
        x = jnp.concatenate([resize(x, low.shape[1:3]), low], -1)
        for k in range(2):
            x = Separable(layers, 256, name=f"decoder{k}")(x, train)
        out["before_last"] = x
        x = layers.conv(self.classes, bias=True, name="classifier")(x)
        return resize(x.astype(jnp.float32), size), out

    def torch_names(self) -> Iterator[tuple[str, str]]:
        """Our layers with names in PyTorch: `aspp` as torchvision's, the decoder as timm's."""
        for ours, theirs in self.backbone.torch_names():
            if ours not in HEAD:
                yield f"backbone/{ours}", f"backbone.{theirs}"
        for k in range(len(self.rates) + 1):
            yield from conv_norm(f"aspp/conv{k}", f"aspp.convs.{k}.0", f"aspp.convs.{k}.1")
        pool = f"aspp.convs.{len(self.rates) + 1}"
        yield from conv_norm("aspp/pool", f"{pool}.1", f"{pool}.2")
        yield from conv_norm("aspp/project", "aspp.project.0", "aspp.project.1")
        yield from conv_norm("low_level", "low_level.0", "low_level.1")
        for k in range(2):
            yield from separable_names(f"decoder{k}", f"decoder.{k}")
        yield "classifier", "classifier"


def over(
    backbone: Callable[..., nn.Module],
    classes: int,
    output_stride: int = 16,
    dtype: str = "float32",
    dropout: float = 0.1,
    **options,
) -> DeepLabV3Plus:
    """DeepLabv3+ over a backbone; at output stride 8 the rates double, as in arXiv 1706.05587."""
    body = backbone(classes=None, output_stride=output_stride, dtype=dtype, **options)
    rates = (12, 24, 36) if output_stride == 8 else (6, 12, 18)
    return DeepLabV3Plus(classes, body, rates, dtype, dropout)
