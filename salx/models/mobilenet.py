"""MobileNetV3: A. Howard et al., arXiv 1905.02244, as torchvision, timm and TensorFlow build it."""

from collections.abc import Callable, Iterator
from typing import Annotated

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from salx.infra.limits import OneOf
from salx.models import zoo
from salx.models.layers import ConvNorm, Dtype, Layers, Outputs, Share, Stride, dilated, mean_pool
from salx.models.rules import Rule, conv, conv_norm, dense

# Whose definition: they differ in batch normalisation, in padding, and in names. `tf` is what
# timm calls tf_mobilenetv3_*.
ORIGINS = {
    "torchvision": {"epsilon": 1e-3, "momentum": 0.01},
    "timm": {"epsilon": 1e-5, "momentum": 0.1},
    "tf": {"epsilon": 1e-3, "momentum": 0.1, "same": True},
}
DIFFER = "which differ in epsilon and padding (tf is what timm calls tf_mobilenetv3)"

# For each stage its blocks: kernel, expanded width, width, squeeze, hard swish, stride.
SMALL = (
    ((3, 16, 16, True, False, 2),),
    ((3, 72, 24, False, False, 2), (3, 88, 24, False, False, 1)),
    ((5, 96, 40, True, True, 2), *2 * ((5, 240, 40, True, True, 1),)),
    ((5, 120, 48, True, True, 1), (5, 144, 48, True, True, 1)),
    ((5, 288, 96, True, True, 2), *2 * ((5, 576, 96, True, True, 1),)),
)
LARGE = (
    ((3, 16, 16, False, False, 1),),
    ((3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1)),
    ((5, 72, 40, True, False, 2), *2 * ((5, 120, 40, True, False, 1),)),
    (
        (3, 240, 80, False, True, 2),
        (3, 200, 80, False, True, 1),
        *2 * ((3, 184, 80, False, True, 1),),
    ),
    ((3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1)),
    ((5, 672, 160, True, True, 2), *2 * ((5, 960, 160, True, True, 1),)),
)


def _squeezed(expanded: int) -> int:
    """Tell the channels of a squeeze: a quarter, as a multiple of 8 and not below 90 % of it."""
    quarter = expanded // 4
    nearest = max(8, (quarter + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * quarter else nearest + 8


class InvertedResidual(nn.Module):
    """Expand, convolve each channel, weigh the channels, and project to fewer again.

    A 1x1 convolution expands, a depthwise one follows; where `squeeze` is set, a gate that is
    computed from the image's mean weighs the channels (squeeze-and-excite); a last 1x1
    convolution projects. The input is added where it has the output's shape. Fig. 4 of the paper.

    Attributes:
      layers: makes the layers.
      kernel: rows and columns of the depthwise convolution's kernel.
      expanded: channels between the two 1x1 convolutions; equal to the input's: no expansion.
      width: channels of the output.
      squeeze: whether there is a gate.
      swish: whether the activation is hard swish instead of ReLU.
      stride, dilation: those of the depthwise convolution.
    """

    layers: Layers
    kernel: int
    expanded: int
    width: int
    squeeze: bool
    swish: bool
    stride: int
    dilation: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> Float[Array, "batch rows columns features"]:
        layers, expanded = self.layers, self.expanded
        act = nn.hard_swish if self.swish else nn.relu
        y = x
        if expanded != x.shape[-1]:
            y = ConvNorm(layers, expanded, act=act, name="expand")(y, batch_stats)
        depthwise = ConvNorm(
            layers,
            expanded,
            kernel=self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            groups=expanded,
            act=act,
            name="depthwise",
        )
        y = depthwise(y, batch_stats)
        if self.squeeze:
            gate = mean_pool(y)[:, None, None].astype(y.dtype)
            gate = nn.relu(layers.pointwise(_squeezed(expanded), "squeeze_conv")(gate))
            gate = layers.pointwise(expanded, "excite_conv")(gate)
            y = y * nn.hard_sigmoid(gate)
        y = ConvNorm(layers, self.width, act=None, name="project")(y, batch_stats)
        return x + y if x.shape == y.shape else y


class MobileNetV3(nn.Module):
    """Classify images by a 3x3 stem, stages of inverted residuals, and two linear layers.

    A 1x1 convolution and an average over places come between the stages and the linear layers.

    Attributes:
      classes: how many; None for a backbone without linear layers.
      stages: for each stage its blocks, as rows of SMALL or LARGE.
      hidden: features between the two linear layers.
      output_stride: 32, or 16 or 8, where later strides become dilations.
      dtype: what activations are computed in.
      origin: whose definition it is, one of ORIGINS.
      dropout: the share of features that is dropped before the last layer.

    Returns:
      logits float32[B, classes] (None of a backbone) and {"stage1", ..., "stage4":
      [B, h, w, c], "features": float32[B, c]}. The maps are the last ones at strides 4, 8 and
      16, before strides become dilations, and what the 1x1 convolution makes of the last stage.
      The features are what the last layer reads; of a backbone, the mean of "stage4".

    Raises:
      ValueError: for options that it cannot have.
    """

    classes: int | None
    stages: tuple
    hidden: int
    output_stride: int = 32
    dtype: str = "float32"
    origin: str = "torchvision"
    dropout: float = 0.2

    last_layer = "Dense_0"

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "batch height width channels"],
        *,
        batch_stats: bool = False,
        dropout: bool = False,
    ) -> Outputs:
        if self.origin not in ORIGINS:
            raise ValueError(f"origin must be one of {', '.join(ORIGINS)}, not {self.origin!r}")
        layers, maps = Layers(self.dtype, **ORIGINS[self.origin]), []
        x = ConvNorm(layers, 16, 3, 2, act=nn.hard_swish, name="stem")(x, batch_stats)
        rows = [row for stage in self.stages for row in stage]
        steps = dilated([row[-1] for row in rows], 2, self.output_stride)
        for (*row, planned), (stride, dilation, _) in zip(rows, steps, strict=True):
            if planned == 2:
                maps.append(x)
            x = InvertedResidual(layers, *row, stride, dilation)(x, batch_stats)
        x = ConvNorm(layers, 6 * rows[-1][2], act=nn.hard_swish, name="last")(x, batch_stats)
        out = {f"stage{n}": y for n, y in enumerate([*maps[1:], x], 1)}
        out["features"] = mean_pool(x)
        if self.classes is None:
            return None, out
        normal = nn.initializers.normal(0.01)
        if self.origin == "torchvision":
            x = layers.dense(self.hidden, normal, name="hidden")(out["features"])
        else:
            pooled = out["features"][:, None, None]
            x = layers.pointwise(self.hidden, "hidden_conv")(pooled)[:, 0, 0]
        x = nn.hard_swish(x)
        out["features"] = x.astype(jnp.float32)
        x = nn.Dropout(self.dropout, deterministic=not dropout)(x)
        return layers.dense(self.classes, normal)(x).astype(jnp.float32), out

    def weight_rules(self) -> Iterator[Rule]:
        """Map each parameter to its name in torchvision, or in timm where `origin` is timm or tf.

        Yields:
          The rules.
        """
        yield from _torchvision_rules(self) if self.origin == "torchvision" else _timm_rules(self)


def _torchvision_rules(net: MobileNetV3) -> Iterator[Rule]:
    """Yield the rules to torchvision's names: features.N.block.K counts what a block has."""
    yield from conv_norm("stem", "features.0.0", "features.0.1")
    channels, number = 16, 0
    for number, (_, expanded, width, squeeze, *_) in enumerate(sum(net.stages, ()), 1):
        ours, at, layer = f"InvertedResidual_{number - 1}", f"features.{number}.block", 0
        for name in ("expand", "depthwise", "squeeze", "project"):
            if name == "squeeze" and squeeze:
                yield from conv(f"{ours}/squeeze_conv", f"{at}.{layer}.fc1", bias=True)
                yield from conv(f"{ours}/excite_conv", f"{at}.{layer}.fc2", bias=True)
            elif name == "squeeze" or (name == "expand" and expanded == channels):
                continue
            else:
                yield from conv_norm(f"{ours}/{name}", f"{at}.{layer}.0", f"{at}.{layer}.1")
            layer += 1
        channels = width
    yield from conv_norm("last", f"features.{number + 1}.0", f"features.{number + 1}.1")
    yield from dense("hidden", "classifier.0")
    yield from dense("Dense_0", "classifier.3")


def _timm_rules(net: MobileNetV3) -> Iterator[Rule]:
    """Yield the rules to timm's names, blocks.STAGE.INDEX.

    The only block that does not expand calls its projection conv_pw.
    """
    yield from conv_norm("stem", "conv_stem", "bn1")
    channels, number = 16, 0
    for stage, rows in enumerate(net.stages):
        for index, (_, expanded, width, squeeze, *_) in enumerate(rows):
            ours, at = f"InvertedResidual_{number}", f"blocks.{stage}.{index}"
            names = {"expand": "conv_pw", "depthwise": "conv_dw", "project": "conv_pwl"}
            if expanded == channels:
                names = {"depthwise": "conv_dw", "project": "conv_pw"}
            for k, (name, theirs) in enumerate(names.items(), 1):
                yield from conv_norm(f"{ours}/{name}", f"{at}.{theirs}", f"{at}.bn{k}")
            if squeeze:
                yield from conv(f"{ours}/squeeze_conv", f"{at}.se.conv_reduce", bias=True)
                yield from conv(f"{ours}/excite_conv", f"{at}.se.conv_expand", bias=True)
            channels, number = width, number + 1
    last = f"blocks.{len(net.stages)}.0"
    yield from conv_norm("last", f"{last}.conv", f"{last}.bn1")
    yield from conv("hidden_conv", "conv_head", bias=True)
    yield from dense("Dense_0", "classifier")


def of_stages(stages: tuple, hidden: int) -> Callable[..., MobileNetV3]:
    """Make the constructor of a MobileNetV3.

    Args:
      stages: for each stage its blocks, as rows of SMALL or LARGE.
      hidden: features between the two linear layers.

    Returns:
      (classes, output_stride=32, dtype="float32", origin="torchvision", dropout=0.2) ->
      MobileNetV3; the options are those of a config, and `classes` None gives a backbone.
    """

    def mobilenet_v3(
        classes: int | None,
        output_stride: Stride = 32,
        dtype: Dtype = "float32",
        origin: Annotated[str, OneOf(tuple(ORIGINS))] = "torchvision",
        dropout: Share = 0.2,
    ) -> MobileNetV3:
        return MobileNetV3(classes, stages, hidden, output_stride, dtype, origin, dropout)

    return mobilenet_v3


mobilenet_v3_small = zoo.add("mobilenet_v3_small", of_stages(SMALL, hidden=1024))
mobilenet_v3_large = zoo.add("mobilenet_v3_large", of_stages(LARGE, hidden=1280))
