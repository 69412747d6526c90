"""Residual networks: K. He et al., arXiv 1512.03385, for images of any size and for small ones.

Names and definitions are torchvision's and timm's (`resnet50` with the stride in the 3x3, v1.5)
and, for small images, those of github.com/akamaster/pytorch_resnet_cifar10.
"""

from collections.abc import Callable, Iterable, Iterator

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from salx.models import zoo
from salx.models.conv import max_pool
from salx.models.layers import Dtype, Layers, Outputs, Stride, Width, dilated, mean_pool
from salx.models.rules import Rule, conv, dense, norm


class BasicBlock(nn.Module):
    """Add two normalised 3x3 convolutions to the input: ReLU(x + BN(conv(ReLU(BN(conv(x)))))).

    Where the shape changes, x is projected by a 1x1 convolution or, without `projects`, sliced
    and padded with zero channels (option A of the paper).

    Attributes:
      layers: makes the layers.
      width: channels of the output.
      stride: that of the first convolution.
      dilations: those of the two convolutions.
      projects: whether the shortcut is a 1x1 convolution where the shape changes.
    """

    layers: Layers
    width: int
    stride: int = 1
    dilations: tuple[int, int] = (1, 1)
    projects: bool = True

    convolutions, expansion = 2, 1

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> Float[Array, "batch rows columns features"]:
        conv, norm = self.layers.conv, self.layers.norm
        y = conv(self.width, 3, self.stride, self.dilations[0])(x)
        y = nn.relu(norm(batch_stats)(y))
        y = conv(self.width, 3, dilation=self.dilations[1])(y)
        y = norm(batch_stats)(y)
        if self.projects:
            x = _project(self.layers, x, self.width, self.stride, batch_stats)
        else:
            x = _pad(x, self.width, self.stride)
        return nn.relu(y + x)


class Bottleneck(nn.Module):
    """Add normalised 1x1, 3x3 and 1x1 convolutions to the input.

    ReLU follows the first two and the sum. Where the shape changes, the input is projected by a
    1x1 convolution.

    Attributes:
      layers: makes the layers.
      width: channels of the first two convolutions; the output has 4 * width.
      stride: that of the 3x3 convolution.
      dilations: the first is that of the 3x3 convolution; the second is not used.
    """

    layers: Layers
    width: int
    stride: int = 1
    dilations: tuple[int, int] = (1, 1)

    convolutions, expansion = 3, 4

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> Float[Array, "batch rows columns features"]:
        conv, norm = self.layers.conv, self.layers.norm
        y = nn.relu(norm(batch_stats)(conv(self.width)(x)))
        y = nn.relu(norm(batch_stats)(conv(self.width, 3, self.stride, self.dilations[0])(y)))
        y = norm(batch_stats)(conv(4 * self.width)(y))
        return nn.relu(y + _project(self.layers, x, 4 * self.width, self.stride, batch_stats))


def _project(
    layers: Layers,
    x: Float[Array, "batch height width channels"],
    width: int,
    stride: int,
    batch_stats: bool,
) -> Float[Array, "batch rows columns features"]:
    """Make the shortcut as a 1x1 convolution, where the shape changes."""
    if stride == 1 and x.shape[-1] == width:
        return x
    x = layers.conv(width, 1, stride, name="shortcut_conv")(x)
    return layers.norm(batch_stats, name="shortcut_norm")(x)


def _pad(
    x: Float[Array, "batch height width channels"], width: int, stride: int
) -> Float[Array, "batch rows columns features"]:
    """Make the shortcut without parameters (option A)."""
    new = width - x.shape[-1]
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (new // 2, new - new // 2)))


class ResNet(nn.Module):
    """Classify images by a 7x7 stem, a max-pool and stages of residual blocks.

    Each stage has twice the channels of the one before, and half its height and width.

    Attributes:
      classes: how many; None for a backbone without a last layer.
      block: the class of the blocks.
      blocks: how many there are in each stage.
      width: channels of the first stage's 3x3 convolutions.
      output_stride: 32, or 16 or 8, where later strides become dilations.
      dtype: what activations are computed in.

    Returns:
      logits float32[B, classes] (None of a backbone) and {"stage1", ...: [B, h, w, c] after
      each stage, "features": float32[B, c], the mean of the last}.

    Raises:
      ValueError: for options that it cannot have.
    """

    classes: int | None
    block: type
    blocks: tuple[int, ...]
    width: int = 64
    output_stride: int = 32
    dtype: str = "float32"

    last_layer = "Dense_0"

    def plan(self) -> Iterator[tuple[int, int, int]]:
        """Describe the blocks before strides become dilations.

        Yields:
          For each block its stage, its index in the stage, both from 0, and its stride.
        """
        for stage, blocks in enumerate(self.blocks):
            for index in range(blocks):
                yield stage, index, 2 if stage and not index else 1

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "batch height width channels"],
        *,
        batch_stats: bool = False,
        dropout: bool = False,
    ) -> Outputs:
        layers, out = Layers(self.dtype), {}
        x = nn.relu(layers.norm(batch_stats)(layers.conv(self.width, 7, 2)(x)))
        x = max_pool(x)
        plan = list(self.plan())
        steps = dilated([stride for _, _, stride in plan], 4, self.output_stride)
        for (stage, _, _), (stride, *dilations) in zip(plan, steps, strict=True):
            x = self.block(layers, self.width * 2**stage, stride, tuple(dilations))(x, batch_stats)
            out[f"stage{stage + 1}"] = x
        out["features"] = mean_pool(x)
        if self.classes is None:
            return None, out
        return layers.dense(self.classes)(out["features"]).astype(jnp.float32), out

    def weight_rules(self) -> Iterator[Rule]:
        """Map each parameter to its name in torchvision and timm, which agree.

        Yields:
          The rules.
        """
        projects = {(stage, 0) for stage in range(self.block.expansion == 1, len(self.blocks))}
        yield from _residual_rules(self.plan(), self.block, projects)
        yield from dense("Dense_0", "fc")


class CifarResNet(nn.Module):
    """Classify small images by a 3x3 stem and three stages of basic blocks.

    It has 6 * blocks + 2 layers: Sec. 4.2 of the paper. Channels double with each stage, while
    height and width halve.

    Attributes:
      classes: how many.
      blocks: how many there are in each stage.
      width: channels of the first stage; 16 in the paper.
      dtype: what activations are computed in.

    Returns:
      logits float32[B, classes] and {"stage1", "stage2", "stage3": [B, h, w, c], "features":
      float32[B, c], the mean of the last}.

    Raises:
      ValueError: for options that it cannot have.
    """

    classes: int
    blocks: int
    width: int = 16
    dtype: str = "float32"

    last_layer = "Dense_0"
    sees = (32, 32)

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "batch height width channels"],
        *,
        batch_stats: bool = False,
        dropout: bool = False,
    ) -> Outputs:
        layers, out = Layers(self.dtype), {}
        x = nn.relu(layers.norm(batch_stats)(layers.conv(self.width, 3)(x)))
        for stage in range(3):
            for block in range(self.blocks):
                stride = 2 if stage and not block else 1
                width = self.width * 2**stage
                x = BasicBlock(layers, width, stride, projects=False)(x, batch_stats)
            out[f"stage{stage + 1}"] = x
        out["features"] = mean_pool(x)
        init = nn.initializers.lecun_normal()
        return layers.dense(self.classes, init)(out["features"]).astype(jnp.float32), out

    def weight_rules(self) -> Iterator[Rule]:
        """Map each parameter to its name in akamaster's pytorch_resnet_cifar10.

        Yields:
          The rules.
        """
        plan = ((stage, index, 1) for stage in range(3) for index in range(self.blocks))
        yield from _residual_rules(plan, BasicBlock, set())
        yield from dense("Dense_0", "linear")


def _residual_rules(
    plan: Iterable[tuple[int, int, int]], block: type, projects: set[tuple[int, int]]
) -> Iterator[Rule]:
    """Yield the rules of a stem and of blocks, as `plan()` describes them.

    `projects` holds (stage, index) of the blocks whose shortcut is a convolution.
    """
    yield from conv("Conv_0", "conv1")
    yield from norm("BatchNorm_0", "bn1")
    for number, (stage, index, _) in enumerate(plan):
        ours, theirs = f"{block.__name__}_{number}", f"layer{stage + 1}.{index}"
        for k in range(block.convolutions):
            yield from conv(f"{ours}/Conv_{k}", f"{theirs}.conv{k + 1}")
            yield from norm(f"{ours}/BatchNorm_{k}", f"{theirs}.bn{k + 1}")
        if (stage, index) in projects:
            yield from conv(f"{ours}/shortcut_conv", f"{theirs}.downsample.0")
            yield from norm(f"{ours}/shortcut_norm", f"{theirs}.downsample.1")


def of_small_images(blocks: int) -> Callable[..., CifarResNet]:
    """Make the constructor of a network for small images.

    Args:
      blocks: how many there are in each of the three stages.

    Returns:
      (classes, width=16, dtype="float32") -> CifarResNet; the options are those of a config.
    """

    def cifar_resnet(classes: int, width: Width = 16, dtype: Dtype = "float32") -> CifarResNet:
        return CifarResNet(classes, blocks, width, dtype)

    return cifar_resnet


def of_blocks(block: type, blocks: tuple[int, ...]) -> Callable[..., ResNet]:
    """Make the constructor of a network for images of any size.

    Args:
      block: the class of the blocks, BasicBlock or Bottleneck.
      blocks: how many there are in each stage; (3, 4, 23, 3) of Bottleneck is a ResNet-101.

    Returns:
      (classes, width=64, output_stride=32, dtype="float32") -> ResNet; the options are those of
      a config, and `classes` None gives a backbone.
    """

    def resnet(
        classes: int | None, width: Width = 64, output_stride: Stride = 32, dtype: Dtype = "float32"
    ) -> ResNet:
        return ResNet(classes, block, blocks, width, output_stride, dtype)

    return resnet


for layers, count in {8: 1, 14: 2, 20: 3, 32: 5, 44: 7, 56: 9}.items():
    zoo.add(f"cifar_resnet{layers}", of_small_images(count))

resnet18 = zoo.add("resnet18", of_blocks(BasicBlock, (2, 2, 2, 2)))
resnet34 = zoo.add("resnet34", of_blocks(BasicBlock, (3, 4, 6, 3)))
resnet50 = zoo.add("resnet50", of_blocks(Bottleneck, (3, 4, 6, 3)))


@zoo.register("resnet20")
def resnet20(classes: int | None, output_stride: Stride = 32, dtype: Dtype = "float32") -> ResNet:
    """Build the three stages of the network for small images behind the stem for large ones.

    Args:
      classes: how many; None for a backbone.
      output_stride: 32, or 16 or 8, where later strides become dilations.
      dtype: what activations are computed in.

    Returns:
      The module; its stages have 16, 32 and 64 channels. It has three stages, so its last map
      has stride 16 even where `output_stride` is 32.
    """
    return ResNet(classes, BasicBlock, (3, 3, 3), 16, output_stride, dtype)
