"""DeepLabv3+: L.-C. Chen et al., arXiv 1802.02611, with one head over any backbone.

ASPP with plain convolutions of 256 channels, a decoder at stride 4 with two separable
convolutions: the head that gives the operations of the paper's Table 2.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from salx.models import mobilenet, resnet, xception, zoo
from salx.models.layers import (
    ConvNorm,
    Dtype,
    Layers,
    Outputs,
    Separable,
    Share,
    Stride,
    mean_pool,
    resize,
)
from salx.models.rules import Rule, below, conv, conv_norm, layer_of, separable
from salx.models.weights import head_layers


class ASPP(nn.Module):
    """Read a map at several distances: atrous spatial pyramid pooling.

    A 1x1 convolution, one dilated 3x3 convolution for each rate, and the mean over the image
    are joined, and a 1x1 convolution brings them to 256 channels.

    Attributes:
      layers: makes the layers.
      rates: the dilations of the 3x3 convolutions.
    """

    layers: Layers
    rates: tuple[int, ...]

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> Float[Array, "batch height width 256"]:
        branches = [ConvNorm(self.layers, 256, name="conv0")(x, batch_stats)]
        for k, rate in enumerate(self.rates, 1):
            conv = ConvNorm(self.layers, 256, 3, dilation=rate, name=f"conv{k}")
            branches.append(conv(x, batch_stats))
        mean = mean_pool(x)[:, None, None].astype(x.dtype)
        mean = ConvNorm(self.layers, 256, name="pool")(mean, batch_stats)
        branches.append(jnp.broadcast_to(mean, branches[0].shape))
        return ConvNorm(self.layers, 256, name="project")(
            jnp.concatenate(branches, -1), batch_stats
        )


class DeepLabV3Plus(nn.Module):
    """Classify each pixel by a backbone's maps.

    The backbone's last map goes through ASPP, is resized to the size of its first one, at stride
    4, and joined with that. Two separable convolutions and a 1x1 convolution follow, whose
    logits are resized to the images.

    Attributes:
      classes: how many.
      backbone: a network whose `classes` is None.
      rates: the dilations of ASPP.
      dtype: what activations are computed in, outside of the backbone.
      dropout: the share of ASPP's values that is dropped.

    Returns:
      logits float32[B, H, W, classes] at the images' size and {"low_level", "high_level": the
      backbone's first and last map, "aspp", "before_last": what the last convolution reads, at
      stride 4}, all [B, h, w, c].

    Raises:
      ValueError: for options that it cannot have.
    """

    classes: int
    backbone: nn.Module
    rates: tuple[int, ...] = (6, 12, 18)
    dtype: str = "float32"
    dropout: float = 0.1

    last_layer = "classifier"

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "batch height width channels"],
        *,
        batch_stats: bool = False,
        dropout: bool = False,
    ) -> Outputs:
        layers, size = Layers(self.dtype), x.shape[1:3]
        _, maps = self.backbone(x, batch_stats=batch_stats, dropout=dropout)
        low, *_, high = (maps[name] for name in sorted(maps) if name != "features")
        out = {"low_level": low, "high_level": high}
        x = out["aspp"] = ASPP(layers, self.rates, name="aspp")(high, batch_stats)
        x = nn.Dropout(self.dropout, deterministic=not dropout)(x)
        low = ConvNorm(layers, 48, name="low_level")(low, batch_stats)
        x = jnp.concatenate([resize(x, low.shape[1:3]), low], -1)
        for k in range(2):
            x = Separable(layers, 256, name=f"decoder{k}")(x, batch_stats)
        out["before_last"] = x
        x = layers.pointwise(self.classes, "classifier")(x)
        return resize(x.astype(jnp.float32), size), out

    def weight_rules(self) -> Iterator[Rule]:
        """Map each parameter to a name in PyTorch: `aspp` as torchvision's, the decoder as timm's.

        Yields:
          The rules, the backbone's under "backbone" among them.
        """
        for rule in self.backbone.weight_rules():
            if layer_of(rule.ours) not in head_layers(self.backbone):
                yield below(rule, "backbone", "backbone")
        for k in range(len(self.rates) + 1):
            yield from conv_norm(f"aspp/conv{k}", f"aspp.convs.{k}.0", f"aspp.convs.{k}.1")
        pool = f"aspp.convs.{len(self.rates) + 1}"
        yield from conv_norm("aspp/pool", f"{pool}.1", f"{pool}.2")
        yield from conv_norm("aspp/project", "aspp.project.0", "aspp.project.1")
        yield from conv_norm("low_level", "low_level.0", "low_level.1")
        for k in range(2):
            yield from separable(f"decoder{k}", f"decoder.{k}")
        yield from conv("classifier", "classifier", bias=True)


def over(backbone: Callable[..., nn.Module]) -> Callable[..., DeepLabV3Plus]:
    """Make the constructor of DeepLabv3+ over a backbone.

    At output stride 8 the rates double, as in arXiv 1706.05587.

    Args:
      backbone: the constructor of a network, which takes `classes` None and `output_stride`.

    Returns:
      (classes, output_stride=16, dtype="float32", dropout=0.1, **options) -> DeepLabV3Plus;
      `options` are the backbone's, which its signature names as well.
    """

    def deeplab(
        classes: int,
        output_stride: Stride = 16,
        dtype: Dtype = "float32",
        dropout: Share = 0.1,
        **options: Any,
    ) -> DeepLabV3Plus:
        body = backbone(classes=None, output_stride=output_stride, dtype=dtype, **options)
        rates = (12, 24, 36) if output_stride == 8 else (6, 12, 18)
        return DeepLabV3Plus(classes, body, rates, dtype, dropout)

    ours, theirs = (dict(inspect.signature(f).parameters) for f in (deeplab, backbone))
    del ours["options"]
    every = theirs | ours  # of options of one name, this head's
    deeplab.__signature__ = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in every.values()]
    )
    return deeplab


for name, backbone in {
    "resnet18": resnet.resnet18,
    "resnet34": resnet.resnet34,
    "resnet50": resnet.resnet50,
    "resnet20": resnet.resnet20,
    "mobilenet_v3_small": mobilenet.mobilenet_v3_small,
    "mobilenet_v3_large": mobilenet.mobilenet_v3_large,
    "xception65": xception.xception65,
}.items():
    zoo.add(f"deeplab_{name}", over(backbone))
