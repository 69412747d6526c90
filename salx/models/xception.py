"""Aligned Xception-65: L.-C. Chen et al., arXiv 1802.02611, Fig. 4, as timm builds it."""

from collections.abc import Iterator

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from salx.models import zoo
from salx.models.layers import (
    ConvNorm,
    Dtype,
    Layers,
    Outputs,
    Separable,
    Stride,
    dilated,
    mean_pool,
)
from salx.models.rules import Rule, conv_norm, dense, separable

# Blocks: the widths of the three separable convolutions, and the last one's stride.
BLOCKS = (
    ((128, 128, 128), 2),
    ((256, 256, 256), 2),
    ((728, 728, 728), 2),
    *16 * (((728, 728, 728), 1),),
    ((728, 1024, 1024), 2),
)
EXIT = (1536, 1536, 2048)


class Block(nn.Module):
    """Add three separable convolutions, each after a ReLU, to the input.

    Where the shape changes, the input is projected by a 1x1 convolution.

    Attributes:
      layers: makes the layers.
      widths: channels of the three convolutions' outputs.
      stride: that of the last convolution and of the projection.
      dilation: that of all three.

    Returns:
      The output, and what the last convolution reads: the input's height and width, activated.
    """

    layers: Layers
    widths: tuple[int, int, int]
    stride: int
    dilation: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> tuple[Float[Array, "batch rows columns features"], Float[Array, "batch height width _"]]:
        y = tap = x
        for k, width in enumerate(self.widths):
            tap, stride = nn.relu(y), self.stride if k == 2 else 1
            y = Separable(self.layers, width, stride, self.dilation, act=None)(tap, batch_stats)
        if self.stride != 1 or x.shape[-1] != width:
            shortcut = ConvNorm(self.layers, width, 1, self.stride, act=None, name="shortcut")
            x = shortcut(x, batch_stats)
        return x + y, tap


class Xception65(nn.Module):
    """Classify images by two 3x3 convolutions, twenty residual blocks, three more convolutions.

    Attributes:
      classes: how many; None for a backbone without a last layer.
      output_stride: 32, or 16 or 8, where later strides become dilations.
      dtype: what activations are computed in.

    Returns:
      logits float32[B, classes] (None of a backbone) and {"stage1", ..., "stage4":
      [B, h, w, c], the last at strides 4, 8 and 16, before strides become dilations, and the
      last of all, "features": float32[B, 2048], the mean of that}.

    Raises:
      ValueError: for options that it cannot have.
    """

    classes: int | None
    output_stride: int = 32
    dtype: str = "float32"

    last_layer = "Dense_0"

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "batch height width channels"],
        *,
        batch_stats: bool = False,
        dropout: bool = False,
    ) -> Outputs:
        layers, maps = Layers(self.dtype, epsilon=1e-3), []
        x = ConvNorm(layers, 32, 3, 2, name="stem0")(x, batch_stats)
        x = ConvNorm(layers, 64, 3, name="stem1")(x, batch_stats)
        steps = list(dilated([stride for _, stride in BLOCKS], 2, self.output_stride))
        for (widths, planned), (stride, dilation, _) in zip(BLOCKS, steps, strict=True):
            x, tap = Block(layers, widths, stride, dilation)(x, batch_stats)
            if planned == 2:
                maps.append(tap)
        for width in EXIT:
            x = Separable(layers, width, dilation=steps[-1][2])(x, batch_stats)
        out = {f"stage{n}": y for n, y in enumerate([*maps[1:], x], 1)}
        out["features"] = mean_pool(x)
        if self.classes is None:
            return None, out
        return layers.dense(self.classes)(out["features"]).astype(jnp.float32), out

    def weight_rules(self) -> Iterator[Rule]:
        """Map each parameter to its name in timm.

        Yields:
          The rules.
        """
        for k in range(2):
            yield from conv_norm(f"stem{k}", f"stem.{k}.conv", f"stem.{k}.bn")
        channels = 64
        for number, (widths, stride) in enumerate(BLOCKS):
            ours, theirs = f"Block_{number}", f"blocks.{number}"
            if stride != 1 or widths[-1] != channels:
                at = f"{theirs}.shortcut"
                yield from conv_norm(f"{ours}/shortcut", f"{at}.conv", f"{at}.bn")
            for k in range(3):
                yield from separable(f"{ours}/Separable_{k}", f"{theirs}.stack.conv{k + 1}")
            channels = widths[-1]
        for k in range(3):
            theirs = f"blocks.{len(BLOCKS)}.stack.conv{k + 1}"
            yield from separable(f"Separable_{k}", theirs)
        yield from dense("Dense_0", "head.fc")


@zoo.register("xception65")
def xception65(
    classes: int | None, output_stride: Stride = 32, dtype: Dtype = "float32"
) -> Xception65:
    """Build an aligned Xception-65.

    Args:
      classes: how many; None for a backbone.
      output_stride: 32, or 16 or 8, where later strides become dilations.
      dtype: what activations are computed in.

    Returns:
      The module.
    """
    return Xception65(classes, output_stride, dtype)
