"""Residual networks: K. He et al., arXiv 1512.03385, for images of any size and for small ones.

Names and definitions are torchvision's and timm's (`resnet50` with the stride in the 3x3, v1.5)
and, for small images, those of github.com/akamaster/pytorch_resnet_cifar10.
"""

from collections.abc import Callable, Iterable, Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.models import zoo
from salx.models.conv import max_pool
from salx.models.layers import Dtype, Layers, Stride, Width, dilated, mean_pool
from salx.models.rules import Rule, conv, dense, norm


class BasicBlock(nn.Module):
    """conv-BN-ReLU-conv-BN, plus the shortcut, then ReLU; dilations of the two convolutions.

    Where the shape changes the shortcut is a 1x1 convolution, or without `projects` (option A)
    a slice that is padded with zero channels.
    """

    layers: Layers
    width: int
    stride: int = 1
    dilations: tuple[int, int] = (1, 1)
    projects: bool = True

    convolutions, expansion = 2, 1

    @nn.compact
    def __call__(self, x: jax.Array, batch_stats: bool) -> jax.Array:
        conv, norm = self.layers.conv, self.layers.norm
        y = conv(self.width, 3, self.stride, self.dilations[0])(x)
        y = nn.relu(norm(batch_stats)(y))
        y = conv(self.width, 3, dilation=self.dilations[1])(y)
        y = norm(batch_stats)(y)
        if self.projects:
            x = project(self.layers, x, self.width, self.stride, batch_stats)
        else:
            x = pad(x, self.width, self.stride)
        return nn.relu(y + x)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions to 4 * width, plus the shortcut, then ReLU."""

    layers: Layers
    width: int
    stride: int = 1
    dilations: tuple[int, int] = (1, 1)

    convolutions, expansion = 3, 4

    @nn.compact
    def __call__(self, x: jax.Array, batch_stats: bool) -> jax.Array:
        conv, norm = self.layers.conv, self.layers.norm
        y = nn.relu(norm(batch_stats)(conv(self.width)(x)))
        y = nn.relu(norm(batch_stats)(conv(self.width, 3, self.stride, self.dilations[0])(y)))
        y = norm(batch_stats)(conv(4 * self.width)(y))
        return nn.relu(y + project(self.layers, x, 4 * self.width, self.stride, batch_stats))


def project(layers: Layers, x: jax.Array, width: int, stride: int, batch_stats: bool) -> jax.Array:
    """Make the shortcut as a 1x1 convolution, where the shape changes."""
    if stride == 1 and x.shape[-1] == width:
        return x
    x = layers.conv(width, 1, stride, name="shortcut_conv")(x)
    return layers.norm(batch_stats, name="shortcut_norm")(x)


def pad(x: jax.Array, width: int, stride: int) -> jax.Array:
    """Make the shortcut without parameters (option A)."""
    new = width - x.shape[-1]
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (new // 2, new - new // 2)))


class ResNet(nn.Module):
    """A 7x7 stem, a max-pool and stages of residual blocks.

    `blocks` are the numbers of blocks of the stages, `width` the channels of the first. With
    `output_stride` 16 or 8 later strides become dilations. `classes` None is a backbone.

    Returns:
      logits float32[B, classes] (None of a backbone) and {"stage1", ...: [B, h, w, c] after
      each stage, "features": float32[B, c]}. Raises ValueError for bad options.
    """

    classes: int | None
    block: type
    blocks: tuple[int, ...]
    width: int = 64
    output_stride: int = 32
    dtype: str = "float32"

    last_layer = "Dense_0"

    def plan(self) -> Iterator[tuple[int, int, int]]:
        """Yield the stage, index in the stage and stride of each block, before dilation."""
        for stage, blocks in enumerate(self.blocks):
            for index in range(blocks):
                yield stage, index, 2 if stage and not index else 1

    @nn.compact
    def __call__(
        self, x: jax.Array, *, batch_stats: bool = False, dropout: bool = False
    ) -> tuple[jax.Array | None, dict[str, jax.Array]]:
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
        """Yield the rules to the names of torchvision and timm."""
        projects = {(stage, 0) for stage in range(self.block.expansion == 1, len(self.blocks))}
        yield from residual_rules(self.plan(), self.block, projects)
        yield from dense("Dense_0", "fc")


class CifarResNet(nn.Module):
    """A 3x3 stem and three stages of `blocks` basic blocks: 6 * blocks + 2 layers (Sec. 4.2).

    `width` is the first stage's number of channels (16 in the paper); it doubles with each
    stage, while height and width halve.

    Returns:
      logits float32[B, classes] and {"stage1", "stage2", "stage3": [B, h, w, c],
      "features": float32[B, c]}. Raises ValueError for bad options.
    """

    classes: int
    blocks: int
    width: int = 16
    dtype: str = "float32"

    last_layer = "Dense_0"
    sees = (32, 32)

    @nn.compact
    def __call__(
        self, x: jax.Array, *, batch_stats: bool = False, dropout: bool = False
    ) -> tuple[jax.Array | None, dict[str, jax.Array]]:
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
        """Yield the rules to akamaster's names."""
        plan = ((stage, index, 1) for stage in range(3) for index in range(self.blocks))
        yield from residual_rules(plan, BasicBlock, set())
        yield from dense("Dense_0", "linear")


def residual_rules(
    plan: Iterable[tuple[int, int, int]], block: type, projects: set[tuple[int, int]]
) -> Iterator[Rule]:
    """Yield the rules of a stem and its blocks.

    Args:
      plan: for each block its stage, its index in the stage and its stride.
      block: the class of the blocks.
      projects: (stage, index) of the blocks with a projection.
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
    """Make the constructor of a CIFAR network with so many blocks in each stage."""

    def cifar_resnet(classes: int, width: Width = 16, dtype: Dtype = "float32") -> CifarResNet:
        return CifarResNet(classes, blocks, width, dtype)

    return cifar_resnet


def of_blocks(block: type, blocks: tuple[int, ...]) -> Callable[..., ResNet]:
    """Make the constructor of a network with so many blocks of a class in each stage."""

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
    """Build the CIFAR network's three stages under an ImageNet stem."""
    return ResNet(classes, BasicBlock, (3, 3, 3), 16, output_stride, dtype)
