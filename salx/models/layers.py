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
from jaxtyping import Array, Float, Float32

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

# What every network returns: logits, or None of a backbone, and its intermediates by name.
Outputs = tuple[
    Float32[Array, "batch *places classes"] | None, dict[str, Float[Array, "batch ..."]]
]


class BatchNorm(nn.Module):
    """Normalise each channel by the batch's statistics or by the running ones.

    With the channel's mean m and variance v over all other axes, and parameters s and b,

        y = s (x - m) / sqrt(v + epsilon) + b.

    The variance that normalises a batch is the biased one and the running one is unbiased, as in
    PyTorch; Flax's running variance is biased. It is written as x * times + plus, so that the
    gradient needs x alone and two passes over it. From S. Ioffe, C. Szegedy, arXiv 1502.03167.

    Attributes:
      use_running_average: whether the running statistics normalise; otherwise they are moved.
      momentum: the share of the old statistics that remains in a step, as Flax writes it.
      epsilon: what is added to the variance.
      dtype: of the output; everything is computed in float32.
    """

    use_running_average: bool
    momentum: float
    epsilon: float
    dtype: str

    @nn.compact
    def __call__(self, x: Float[Array, "*places channels"]) -> Float[Array, "*places channels"]:
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
    """Make a network's layers, all with the same settings.

    Attributes:
      dtype: what activations are computed in, one of DTYPES.
      epsilon: what batch normalisation adds to the variance.
      momentum: the share of the new batch in the running statistics, as PyTorch writes it.
      same: pad as TensorFlow's SAME does, instead of symmetrically.

    Raises:
      ValueError: for another dtype.
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
        """Make a convolution of images, without bias; stride 1 keeps height and width.

        Args:
          width: channels of the output.
          kernel: rows and columns of the kernel.
          stride: pixels of the input between two of the output.
          dilation: pixels of the input between two taps of the kernel.
          groups: parts of the channels that are convolved apart; as many as channels: depthwise.
          name: of the submodule; None lets Flax number it.

        Returns:
          A module [B, h, w, c] -> [B, ceil(h / stride), ceil(w / stride), width].
        """
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
        """Make a linear map of each pixel, with bias.

        Args:
          width: channels of the output.
          name: of the submodule.

        Returns:
          A module [B, h, w, c] -> [B, h, w, width].
        """
        return Conv(width, (1, 1), padding=0, dtype=self.dtype, kernel_init=KAIMING, name=name)

    def norm(self, batch_stats: bool, name: str | None = None) -> nn.Module:
        """Make a batch normalisation.

        Args:
          batch_stats: normalise by the batch's statistics and move the running ones, instead of
            normalising by those.
          name: of the submodule; None lets Flax number it.

        Returns:
          A module [..., c] -> [..., c].
        """
        return BatchNorm(
            use_running_average=not batch_stats,
            momentum=1 - self.momentum,
            epsilon=self.epsilon,
            dtype=self.dtype,
            name=name,
        )

    def dense(self, width: int, init: Callable = UNIFORM, name: str | None = None) -> nn.Module:
        """Make a linear layer with bias.

        Args:
          width: features of the output.
          init: the initialiser of its kernel.
          name: of the submodule; None lets Flax number it.

        Returns:
          A module [..., d] -> [..., width].
        """
        return nn.Dense(width, dtype=self.dtype, kernel_init=init, name=name)


class ConvNorm(nn.Module):
    """Convolve, normalise by batch and, unless it is None, apply an activation.

    Attributes:
      layers: makes the layers.
      width, kernel, stride, dilation, groups: those of the convolution, see `Layers.conv`.
      act: the activation; None for none.
    """

    layers: Layers
    width: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    act: Callable | None = nn.relu

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> Float[Array, "batch rows columns features"]:
        conv = self.layers.conv(self.width, self.kernel, self.stride, self.dilation, self.groups)
        x = self.layers.norm(batch_stats)(conv(x))
        return self.act(x) if self.act else x


class Separable(nn.Module):
    """Convolve each channel with a 3x3 kernel, then mix the channels of each pixel.

    Both convolutions are normalised by batch and, unless it is None, activated.

    Attributes:
      layers: makes the layers.
      width: channels of the output.
      stride, dilation: those of the 3x3 convolution.
      act: the activation after each of the two; None for none.
    """

    layers: Layers
    width: int
    stride: int = 1
    dilation: int = 1
    act: Callable | None = nn.relu

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], batch_stats: bool
    ) -> Float[Array, "batch rows columns features"]:
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


def mean_pool(x: Float[Array, "batch *places channels"]) -> Float32[Array, "batch channels"]:
    """Average over all places.

    Args:
      x: maps [B, h, w, c], or tokens [B, n, c].

    Returns:
      The mean of each channel, in float32 whatever x is of.
    """
    return x.mean(tuple(range(1, x.ndim - 1)), dtype=jnp.float32)


def resize(
    x: Float[Array, "batch height width channels"], size: tuple[int, int]
) -> Float[Array, "batch rows columns channels"]:
    """Resize maps bilinearly, with pixels as areas (PyTorch's align_corners=False).

    Args:
      x: the maps.
      size: (rows, columns) of the result.

    Returns:
      The resized maps, of x's dtype; no averaging where they shrink.
    """
    shape = (x.shape[0], *size, x.shape[-1])
    return jax.image.resize(x, shape, "bilinear", antialias=False)


def dilated(
    strides: Iterable[int], current: int, output_stride: int
) -> Iterator[tuple[int, int, int]]:
    """Turn those strides into dilations that would exceed the output stride.

    So a backbone keeps larger maps with the same weights: each later tap lies as far apart on the
    image as it would have with strides. From L.-C. Chen et al., arXiv 1706.05587.

    Args:
      strides: that of each block.
      current: the stride of the stem before them.
      output_stride: pixels of the image between two of the last map: 8, 16 or 32.

    Yields:
      For each block its stride, the dilation before it and the one after it. The layer that
      gives up its stride keeps the dilation before.

    Raises:
      ValueError: for another output stride.
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
