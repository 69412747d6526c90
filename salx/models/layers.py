"""The layers of all networks: the one place that decides how they are computed.

Images are NHWC. Weights and the statistics of batch normalisation are float32; `dtype` is what
activations are computed in.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from salx.infra.limits import OneOf, Real, Whole
from salx.models.conv import Conv

KAIMING = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
UNIFORM = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")  # of linear layers
DTYPES = ("float32", "bfloat16")

# What the options that most networks have may be.
Dtype = Annotated[str, OneOf(DTYPES)]
Width = Annotated[int, Whole(1, 1024)]
Stride = Literal[8, 16, 32]  # of a network's output
Share = Annotated[float, Real("[0, 1)")]


class BatchNorm(nn.Module):
    """Batch normalisation; the batch's biased variance normalises it, the running one is unbiased.

    As in PyTorch; Flax's running variance is biased. Written as x * times + plus, so that
    the gradient needs x alone and two passes over it.
    """

    use_running_average: bool
    momentum: float
    epsilon: float
    dtype: str

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        width = x.shape[-1:]
        old_mean = self.variable("batch_stats", "mean", jnp.zeros, width)
        old_var = self.variable("batch_stats", "var", jnp.ones, width)
        scale = self.param("scale", nn.initializers.ones, width)
        bias = self.param("bias", nn.initializers.zeros, width)
        x = x.astype(jnp.float32)
        if self.use_running_average:
            mean, var = old_mean.value, old_var.value
        else:
            axes, n = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
            mean = x.mean(axes)
            var = jnp.maximum((x * x).mean(axes) - mean * mean, 0)
            if not self.is_initializing():
                for old, new in ((old_mean, mean), (old_var, var * (n / max(n - 1, 1)))):
                    old.value = self.momentum * old.value + (1 - self.momentum) * new
        times = scale * jax.lax.rsqrt(var + self.epsilon)
        return (x * times + (bias - mean * times)).astype(self.dtype)


@dataclasses.dataclass(frozen=True)
class Layers:
    """Makes a network's layers alike.

    `epsilon` and `momentum` are those of batch normalisation, the momentum as PyTorch writes it
    (the share of the new batch); `same` pads as TensorFlow's SAME instead of symmetrically.
    """

    dtype: str = "float32"
    epsilon: float = 1e-5
    momentum: float = 0.1
    same: bool = False

    def __post_init__(self):
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, not {self.dtype!r}")

    def conv(
        self,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        name: str | None = None,
    ) -> nn.Module:
        """Make a convolution to `width` channels, without bias; stride 1 keeps height and width."""
        return Conv(
            width,
            (kernel, kernel),
            stride,
            padding="SAME" if self.same else kernel // 2 * dilation,
            kernel_dilation=dilation,
            feature_group_count=groups,
            use_bias=False,
            dtype=self.dtype,
            kernel_init=KAIMING,
            name=name,
        )

    def pointwise(self, width: int, name: str) -> nn.Module:
        """Make a linear map of each pixel to `width` channels, with bias."""
        return Conv(width, (1, 1), padding=0, dtype=self.dtype, kernel_init=KAIMING, name=name)

    def norm(self, batch_stats: bool, name: str | None = None) -> nn.Module:
        """Make a batch normalisation by the batch's statistics, or by the running ones."""
        return BatchNorm(
            use_running_average=not batch_stats,
            momentum=1 - self.momentum,
            epsilon=self.epsilon,
            dtype=self.dtype,
            name=name,
        )

    def dense(self, width: int, init: Callable = UNIFORM, name: str | None = None) -> nn.Module:
        """Make a linear layer with bias."""
        return nn.Dense(width, dtype=self.dtype, kernel_init=init, name=name)


class ConvNorm(nn.Module):
    """Convolution, batch normalisation and, unless None, an activation."""

    layers: Layers
    width: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    act: Callable | None = nn.relu

    @nn.compact
    def __call__(self, x: jax.Array, batch_stats: bool) -> jax.Array:
        conv = self.layers.conv(self.width, self.kernel, self.stride, self.dilation, self.groups)
        x = self.layers.norm(batch_stats)(conv(x))
        return self.act(x) if self.act else x


class Separable(nn.Module):
    """A depthwise 3x3 and a pointwise convolution, each normalised and, unless None, activated."""

    layers: Layers
    width: int
    stride: int = 1
    dilation: int = 1
    act: Callable | None = nn.relu

    @nn.compact
    def __call__(self, x: jax.Array, batch_stats: bool) -> jax.Array:
        depthwise = ConvNorm(
            self.layers,
            x.shape[-1],
            kernel=3,
            stride=self.stride,
            dilation=self.dilation,
            groups=x.shape[-1],
            act=self.act,
            name="depthwise",
        )
        pointwise = ConvNorm(self.layers, self.width, act=self.act, name="pointwise")
        return pointwise(depthwise(x, batch_stats), batch_stats)


def mean_pool(x: jax.Array) -> jax.Array:
    """Average maps [B, h, w, c], or tokens [B, n, c], to float32[B, c]."""
    return x.mean(tuple(range(1, x.ndim - 1)), dtype=jnp.float32)


def resize(x: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Resize [B, h, w, c] bilinearly, with pixels as areas (PyTorch's align_corners=False)."""
    shape = (x.shape[0], *size, x.shape[-1])
    return jax.image.resize(x, shape, "bilinear", antialias=False)


def dilated(
    strides: Iterable[int], current: int, output_stride: int
) -> Iterator[tuple[int, int, int]]:
    """Turn the strides that would leave more than `output_stride` into dilations.

    For each block of `strides` after a stem of stride `current`: its stride, the dilation before
    it and the one after it. The layer that gives up its stride keeps the dilation before.
    Raises ValueError for an output stride other than 8, 16 or 32.
    """
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride must be 8, 16 or 32, not {output_stride!r}")
    dilation = 1
    for stride in strides:
        before = dilation
        if current * stride > output_stride:
            dilation, stride = dilation * stride, 1
        current *= stride
        yield stride, before, dilation
