"""Convolution and max-pooling of images, computed as suits the platform compiled for.

Accelerators get lax's own. On CPU those of XLA take, in PyTorch's time for the same, forty times
as long for a depthwise convolution, four for the gradient by a 1x1 kernel and for max-pooling's.
There a depthwise convolution is computed as it stands,

    out[p] = sum over taps t of x[stride * p + dilation * t] * kernel[t],

with a shifted view of x for each tap; a 1x1 kernel is a matrix product; 3x3 kernels of stride 1
between many channels are Winograd's. Other dense convolutions are left to lax.
"""

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from salx.models import winograd

ROWS = 8  # in a block of `_by_taps`
WIDE = 64  # channels from which Winograd's products outweigh what surrounds them
FEW = 4  # pixels for each channel, below which the kernel's transform weighs too much

Images = Float[Array, "batch height width channels"]
Kernel = Float[Array, "high wide inputs features"]  # inputs: channels, or 1 of a depthwise one
Result = Float[Array, "batch rows columns features"]


class _Window(NamedTuple):
    """How a kernel moves over rows and columns; `padding` is (before, after) of each."""

    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]

    def along(self, axis: int) -> tuple[int, tuple[int, int], int]:
        """Stride, padding and dilation along axis 1 or 2 of images."""
        return self.stride[axis - 1], self.padding[axis - 1], self.dilation[axis - 1]


def convolve(
    x: Float[Array, "batch *size channels"],
    kernel: Float[Array, "*window inputs features"],
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    **options: Any,
) -> Float[Array, "batch *places features"]:
    """Compute `lax.conv_general_dilated` as nn.Conv calls it.

    What is not known to be faster otherwise goes to lax on all platforms.

    Args:
      x: images [B, h, w, c], or what else nn.Conv convolves.
      kernel: for images [k, l, c / groups, d].
      strides: one for each axis of the kernel's window.
      padding: "SAME", "VALID", or (before, after) for each axis of the window.
      options: those of lax with which nn.Conv calls it; `formulation` names what it reads.

    Returns:
      The convolution, of x's dtype.
    """
    form = formulation(x, kernel, strides, options)
    if form is None:
        return lax.conv_general_dilated(x, kernel, strides, padding, **options)
    dilation = options["rhs_dilation"]
    if isinstance(padding, str):
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape[:2], strict=True)]
        padding = lax.padtype_to_pads(x.shape[1:3], spans, strides, padding)
    window = _Window(tuple(strides), tuple(map(tuple, padding)), tuple(dilation))
    return form(window, x, kernel)


# nn.Conv in all but how it computes.
Conv = functools.partial(nn.Conv, conv_general_dilated_cls=lambda: convolve)


def formulation(
    x: Float[Array, "batch *size channels"],
    kernel: Float[Array, "*window inputs features"],
    strides: Sequence[int],
    options: Mapping[str, Any],
) -> Callable | None:
    """Choose how a convolution is computed where the platform is a CPU.

    Args:
      x: what is convolved.
      kernel: the kernel.
      strides: one for each axis of the kernel's window.
      options: those of lax: `precision`, `lhs_dilation`, `rhs_dilation`, `feature_group_count`.

    Returns:
      `depthwise`, `pointwise` or `tiled`, each called as (window, x, kernel); None where lax is
      to compute it.
    """
    channels, features = x.shape[-1], kernel.shape[-1]
    if x.ndim != 4 or options["precision"] or set(options["lhs_dilation"]) != {1}:
        return None
    if (groups := options["feature_group_count"]) > 1:
        return depthwise if groups == channels == features else None
    if kernel.shape[:2] == (1, 1):
        return pointwise
    fits = kernel.shape[:2] == (3, 3) and {*strides, *options["rhs_dilation"]} == {1}
    batch = x.shape[0] if isinstance(x.shape[0], int) else 1  # a symbolic one may be any
    many = batch * x.shape[1] * x.shape[2] >= FEW * max(channels, features)
    return tiled if fits and many and min(channels, features) >= WIDE else None


def _by_platform(cpu: Callable, gradients: Callable) -> Callable:
    """Make a convolution (window, x, kernel): on CPU `cpu` with its `gradients`, else lax's."""

    def chosen(cpu, others, window, *arrays):
        cpu, others = functools.partial(cpu, window), functools.partial(others, window)
        return lax.platform_dependent(*arrays, cpu=cpu, default=others)

    @functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
    def convolution(window, x, kernel):
        return chosen(cpu, _plain, window, x, kernel)

    # By hand, so that what is kept for the gradients does not depend on the platform.
    convolution.defvjp(
        lambda window, *inputs: (convolution(window, *inputs), inputs),
        lambda window, inputs, y: chosen(gradients, _transposed(_plain), window, *inputs, y),
    )
    return convolution


def _plain(window: _Window, x: Images, kernel: Kernel) -> Result:
    """Compute lax's convolution, dense or depthwise."""
    return lax.conv_general_dilated(
        x,
        kernel,
        window.stride,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1] // kernel.shape[2],
    )


def _transposed(convolution: Callable) -> Callable:
    """Make (window, x, kernel, y) -> gradients by x and kernel, where y is that by the output."""

    def gradients(window, x, kernel, y):
        return jax.vjp(functools.partial(convolution, window), x, kernel)[1](y)

    return gradients


def _multiplied(window: _Window, x: Images, kernel: Kernel) -> Result:
    """Convolve with a 1x1 kernel as a matrix product."""
    (view,) = _views(window, x, kernel)
    return jnp.matmul(view, kernel[0, 0], preferred_element_type=_wide(x.dtype)).astype(x.dtype)


def _shifted(window: _Window, x: Images, kernel: Kernel) -> Result:
    """Convolve each channel as a sum of products, which XLA computes in one loop."""
    sums = _wide(x.dtype)
    weights = kernel.reshape(-1, kernel.shape[-1]).astype(sums)
    products = map(operator.mul, _views(window, x.astype(sums), kernel), weights)
    return sum(products).astype(x.dtype)


def _shifted_gradients(
    window: _Window, x: Images, kernel: Kernel, y: Result
) -> tuple[Images, Kernel]:
    """Compute what `_transposed(_shifted)` would give, by x as a sum of products as well."""
    back = _Window((1, 1), ((0, 0), (0, 0)), window.dilation)
    by_x = _shifted(back, _spread(window, x.shape, kernel, y), kernel[::-1, ::-1])
    return by_x, _by_taps(window, x, kernel, y).reshape(kernel.shape).astype(kernel.dtype)


def _filtered(window: _Window, x: Images, kernel: Kernel) -> Result:
    """Convolve with a 3x3 kernel by Winograd's algorithm."""
    sums = _wide(x.dtype)
    return winograd.convolve(x.astype(sums), kernel.astype(sums), window.padding).astype(x.dtype)


def _filtered_gradients(
    window: _Window, x: Images, kernel: Kernel, y: Result
) -> tuple[Images, Kernel]:
    """Compute what `_transposed(_filtered)` would give, by Winograd's algorithm."""
    images, errors, weights = (array.astype(_wide(x.dtype)) for array in (x, y, kernel))
    by_x = winograd.by_input(errors, weights, window.padding)
    by_kernel = winograd.by_kernel(images, errors, window.padding)
    return by_x.astype(x.dtype), by_kernel.astype(kernel.dtype)


def _by_taps(
    window: _Window, x: Images, kernel: Kernel, y: Result
) -> Float[Array, "taps features"]:
    """Sum for each tap of a depthwise kernel its view times y.

    One reduction for all taps, which reads y once. Few taps are summed over blocks of rows
    first: so short a loop is unrolled, and what remains runs along channels, in vectors.
    """
    few = kernel.shape[0] * kernel.shape[1] <= 9
    rows = ROWS if few else y.shape[1]
    more = -y.shape[1] % rows
    (top, bottom), columns = window.padding
    window = window._replace(padding=((top, bottom + more * window.stride[0]), columns))
    sums = _wide(x.dtype)

    def blocks(image):
        return image.reshape(y.shape[0], -1, rows, *y.shape[2:])

    y = jnp.pad(y.astype(sums), ((0, 0), (0, more), (0, 0), (0, 0)))
    products = [blocks(view) * blocks(y) for view in _views(window, x.astype(sums), kernel)]
    zeros = [jnp.zeros((), sums)] * len(products)
    axes = (2,) if few else (2, 3)
    sums_of_blocks = lax.reduce(products, zeros, lambda a, b: tuple(map(lax.add, a, b)), axes)
    return jnp.stack([each.reshape(-1, y.shape[-1]).sum(0) for each in sums_of_blocks])


def _spread(
    window: _Window, shape: tuple[int, ...], kernel: Kernel, y: Result
) -> Float[Array, "batch _ _ features"]:
    """Put zeros between and around y's values: the kernel turned round makes x's shape of it."""
    pads = [(0, 0, 0)] * 4
    for axis in (1, 2):
        k, (stride, (before, _), dilation) = kernel.shape[axis - 1], window.along(axis)
        after = shape[axis] + before - stride * (y.shape[axis] - 1) - 1
        pads[axis] = (dilation * (k - 1) - before, after, stride - 1)
    return lax.pad(y, jnp.zeros((), y.dtype), pads)


def _views(
    window: _Window, x: Images, kernel: Kernel
) -> Iterator[Float[Array, "batch rows columns channels"]]:
    """Yield what each tap of the kernel meets, row by row, in the output's height and width."""
    x = jnp.pad(x, ((0, 0), *window.padding, (0, 0)))
    for tap in itertools.product(*map(range, kernel.shape[:2])):
        cut = [slice(None)]
        for axis in (1, 2):
            k, (stride, _, dilation) = kernel.shape[axis - 1], window.along(axis)
            first = dilation * tap[axis - 1]
            cut.append(slice(first, first + x.shape[axis] - dilation * (k - 1), stride))
        yield x[tuple(cut)]


def _wide(dtype: jnp.dtype) -> jnp.dtype:
    """The dtype that sums are taken in."""
    return jnp.promote_types(dtype, jnp.float32)


depthwise = _by_platform(_shifted, _shifted_gradients)
pointwise = _by_platform(_multiplied, _transposed(_multiplied))
tiled = _by_platform(_filtered, _filtered_gradients)


@jax.custom_vjp
def max_pool(x: Images) -> Float[Array, "batch rows columns channels"]:
    """Take the largest of 3x3 pixels with stride 2, padded by one pixel on each side.

    Args:
      x: the images.

    Returns:
      The maxima, with height and width halved and rounded up. Their gradient goes to the first
      of several largest, by rows.
    """
    return lax.platform_dependent(x, cpu=compared, default=_reduced)


def _reduced(x: Images) -> Float[Array, "batch rows columns channels"]:
    """Compute `max_pool` by lax."""
    return nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))


def _max_pool_gradient(x: Images, y: Float[Array, "batch rows columns channels"]) -> tuple[Images]:
    """Compute the gradient by x, where y is that by the output, in the platform's way."""

    def back(pool):
        return lambda x, y: jax.vjp(pool, x)[1](y)

    return lax.platform_dependent(x, y, cpu=back(compared), default=back(_reduced))


def compared(x: Images) -> Float[Array, "batch rows columns channels"]:
    """Compute `max_pool` by comparisons, along columns and then rows.

    Args:
      x: the images.

    Returns:
      What `max_pool` returns.
    """
    for axis in (2, 1):
        pads = [(0, 0)] * 4
        pads[axis] = (1, 1)
        x = jnp.pad(x, pads, constant_values=-jnp.inf)
        first, *others = (
            lax.slice_in_dim(x, tap, x.shape[axis] - 2 + tap, 2, axis) for tap in range(3)
        )
        for other in others:
            first = jnp.where(other > first, other, first)
        x = first
    return x


max_pool.defvjp(lambda x: (max_pool(x), x), _max_pool_gradient)
