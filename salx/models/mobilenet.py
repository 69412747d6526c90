"""MobileNetV3: A. Howard et al., arXiv 1905.02244, as torchvision, timm and TensorFlow build it."""

from collections.abc import Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.models.layers import ConvNorm, Layers, conv_norm, dilated, mean_pool

# Whose definition: they differ in batch normalisation, in padding, and in names. `tf` is what
# timm calls tf_mobilenetv3_*.
ORIGINS = {
    "torchvision": {"epsilon": 1e-3, "momentum": 0.01},
    "timm": {"epsilon": 1e-5, "momentum": 0.1},
    "tf": {"epsilon": 1e-3, "momentum": 0.1, "same": True},
}

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


def squeezed(expanded: int) -> int:
    """The channels of a squeeze: a quarter, as a multiple of 8 and not below 90 % of it."""
    quarter = expanded // 4
    nearest = max(8, (quarter + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * quarter else nearest + 8


class InvertedResidual(nn.Module):
    """Expand (1x1), depthwise, squeeze-and-excite, project (1x1), plus the input if it fits."""

    layers: Layers
    kernel: int
    expanded: int
    width: int
    squeeze: bool
    swish: bool
    stride: int
    dilation: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        layers, expanded = self.layers, self.expanded
        act = nn.hard_swish if self.swish else nn.relu
        y = x
        if expanded != x.shape[-1]:
            y = ConvNorm(layers, expanded, act=act, name="expand")(y, train)
        depthwise = (layers, expanded, self.kernel, self.stride, self.dilation, expanded, act)
        y = ConvNorm(*depthwise, name="depthwise")(y, train)
        if self.squeeze:
            gate = mean_pool(y)[:, None, None].astype(y.dtype)
            gate = nn.relu(layers.conv(squeezed(expanded), bias=True, name="squeeze_conv")(gate))
            gate = layers.conv(expanded, bias=True, name="excite_conv")(gate)
            y = y * nn.hard_sigmoid(gate)
        y = ConvNorm(layers, self.width, act=None, name="project")(y, train)
        return x + y if x.shape == y.shape else y


class MobileNetV3(nn.Module):
    """A 3x3 stem, stages of inverted residuals, a last 1x1 convolution, and two linear layers.

    `origin` is torchvision, timm or tf. With `output_stride` 16 or 8 later strides become
    dilations. `classes` None is a backbone; `dropout` comes before the last layer.

    Returns:
      logits float32[B, classes] (None of a backbone) and {"stage1", ..., "stage4":
      [B, h, w, c], the last before each stride from 4 on, "features": float32[B, c], what the
      last layer sees}. Raises ValueError for bad options.
    """

    classes: int | None
    stages: tuple
    hidden: int
    output_stride: int = 32
    dtype: str = "float32"
    origin: str = "torchvision"
    dropout: float = 0.2

    @nn.compact
    def __call__(self, x: jax.Array, train: bool):
        if self.origin not in ORIGINS:
            raise ValueError(f"origin must be one of {', '.join(ORIGINS)}, not {self.origin!r}")
        layers, maps = Layers(self.dtype, **ORIGINS[self.origin]), []
        x = ConvNorm(layers, 16, 3, 2, act=nn.hard_swish, name="stem")(x, train)
        rows = [row for stage in self.stages for row in stage]
        steps = dilated([row[-1] for row in rows], 2, self.output_stride)
        for (*row, planned), (stride, dilation, _) in zip(rows, steps, strict=True):
            if planned == 2:
                maps.append(x)
            x = InvertedResidual(layers, *row, stride, dilation)(x, train)
        x = ConvNorm(layers, 6 * rows[-1][2], act=nn.hard_swish, name="last")(x, train)
        out = {f"stage{n}": y for n, y in enumerate([*maps[1:], x], 1)}
        out["features"] = mean_pool(x)
        if self.classes is None:
            return None, out
        normal = nn.initializers.normal(0.01)
        if self.origin == "torchvision":
            x = layers.dense(self.hidden, normal, name="hidden")(out["features"])
        else:
            pooled = out["features"][:, None, None]
            x = layers.conv(self.hidden, bias=True, name="hidden_conv")(pooled)[:, 0, 0]
        x = nn.hard_swish(x)
        out["features"] = x.astype(jnp.float32)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return layers.dense(self.classes, normal)(x).astype(jnp.float32), out

    def torch_names(self) -> Iterator[tuple[str, str]]:
        """Our layers with their names in the library of `origin`."""
        yield from torchvision_names(self) if self.origin == "torchvision" else timm_names(self)


def torchvision_names(net: MobileNetV3) -> Iterator[tuple[str, str]]:
    """features.N.block.K counts the parts that a block has."""
    yield from conv_norm("stem", "features.0.0", "features.0.1")
    channels, number = 16, 0
    for number, (_, expanded, width, squeeze, *_) in enumerate(sum(net.stages, ()), 1):
        ours, at, part = f"InvertedResidual_{number - 1}", f"features.{number}.block", 0
        for name in ("expand", "depthwise", "squeeze", "project"):
            if name == "squeeze" and squeeze:
                yield f"{ours}/squeeze_conv", f"{at}.{part}.fc1"
                yield f"{ours}/excite_conv", f"{at}.{part}.fc2"
            elif name == "squeeze" or (name == "expand" and expanded == channels):
                continue
            else:
                yield from conv_norm(f"{ours}/{name}", f"{at}.{part}.0", f"{at}.{part}.1")
            part += 1
        channels = width
    yield from conv_norm("last", f"features.{number + 1}.0", f"features.{number + 1}.1")
    yield "hidden", "classifier.0"
    yield "Dense_0", "classifier.3"


def timm_names(net: MobileNetV3) -> Iterator[tuple[str, str]]:
    """blocks.STAGE.INDEX; the only block that does not expand calls its projection conv_pw."""
    yield from conv_norm("stem", "conv_stem", "bn1")
    channels, number = 16, 0
    for stage, rows in enumerate(net.stages):
        for index, (_, expanded, width, squeeze, *_) in enumerate(rows):
            ours, at = f"InvertedResidual_{number}", f"blocks.{stage}.{index}"
            parts = {"expand": "conv_pw", "depthwise": "conv_dw", "project": "conv_pwl"}
            if expanded == channels:
                parts = {"depthwise": "conv_dw", "project": "conv_pw"}
            for k, (name, conv) in enumerate(parts.items(), 1):
                yield from conv_norm(f"{ours}/{name}", f"{at}.{conv}", f"{at}.bn{k}")
            if squeeze:
                yield f"{ours}/squeeze_conv", f"{at}.se.conv_reduce"
                yield f"{ours}/excite_conv", f"{at}.se.conv_expand"
            channels, number = width, number + 1
    last = f"blocks.{len(net.stages)}.0"
    yield from conv_norm("last", f"{last}.conv", f"{last}.bn1")
    yield "hidden_conv", "conv_head"
    yield "Dense_0", "classifier"
