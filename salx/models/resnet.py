"""Residual networks for small images: K. He et al., arXiv 1512.03385, Sec. 4.2."""

import functools

import flax.linen as nn
import jax.numpy as jnp

Conv = functools.partial(
    nn.Conv,
    use_bias=False,
    kernel_init=nn.initializers.variance_scaling(2.0, "fan_out", "normal"),
)
BatchNorm = functools.partial(nn.BatchNorm, momentum=0.9, epsilon=1e-5)


class BasicBlock(nn.Module):
    """conv-BN-ReLU-conv-BN, plus a shortcut without parameters (option A), then ReLU."""

    width: int
    stride: int = 1

    @nn.compact
    def __call__(self, x, train: bool):
        y = Conv(self.width, (3, 3), self.stride, padding=1)(x)
        y = nn.relu(BatchNorm(use_running_average=not train)(y))
        y = Conv(self.width, (3, 3), padding=1)(y)
        y = BatchNorm(use_running_average=not train)(y)
        shortcut = x[:, :: self.stride, :: self.stride]
        new = self.width - x.shape[-1]
        shortcut = jnp.pad(shortcut, ((0, 0), (0, 0), (0, 0), (new // 2, new - new // 2)))
        return nn.relu(y + shortcut)


class CifarResNet(nn.Module):
    """A 3x3 stem and three stages of `blocks` basic blocks: 6 * blocks + 2 layers.

    `width` is the first stage's number of channels (16 in the paper); it doubles with each
    stage, while height and width halve.

    Returns:
      logits [B, classes] and {"stage1", "stage2", "stage3": [B, h, w, c], "features": [B, c]}.
    """

    classes: int
    blocks: int
    width: int = 16

    @nn.compact
    def __call__(self, x, train: bool):
        out = {}
        x = Conv(self.width, (3, 3), padding=1)(x)
        x = nn.relu(BatchNorm(use_running_average=not train)(x))
        for stage in range(3):
            for block in range(self.blocks):
                stride = 2 if stage and not block else 1
                x = BasicBlock(self.width * 2**stage, stride)(x, train)
            out[f"stage{stage + 1}"] = x
        out["features"] = x.mean((1, 2))
        return nn.Dense(self.classes)(out["features"]), out
