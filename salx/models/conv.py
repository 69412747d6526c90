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

from salx.models import winograd

ROWS = 8  # in a block of `by_taps`
WIDE = 64  # channels from which Winograd's products outweigh what surrounds them
FEW = 4  # pixels for each channel, below which the kernel's transform weighs too much


class Window(NamedTuple):
    """How a kernel moves over rows and columns; `padding` is (before, after) of each."""

    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]

    def along(self, axis: int) -> tuple[int, tuple[int, int], int]:
        """Tell stride, padding and dilation along axis 1 or 2 of an image."""
        return self.stride[axis - 1], self.padding[axis - 1], self.dilation[axis - 1]


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    **options: Any,
) -> jax.Array:
    """Compute `lax.conv_general_dilated` as nn.Conv calls it.

    Images are [B, h, w, c], kernels [k, l, c, d]. What is not known to be faster otherwise goes
    to lax on all platforms.
    """
    form = formulation(x, kernel, strides, options)
    if form is None:
        return lax.conv_general_dilated(x, kernel, strides, padding, **options)
    dilation = options["rhs_dilation"]
    if isinstance(padding, str):
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape[:2], strict=True)]
        padding = lax.padtype_to_pads(x.shape[1:3], spans, strides, padding)
    window = Window(tuple(strides), tuple(map(tuple, padding)), tuple(dilation))
    return form(window, x, kernel)


# nn.Conv in all but how it computes.
Conv = functools.partial(nn.Conv, conv_general_dilated_cls=lambda: convolve)


def formulation(
    x: jax.Array, kernel: jax.Array, strides: Sequence[int], options: Mapping[str, Any]
) -> Callable | None:
    """Choose `depthwise`, `pointwise`, `tiled`, or None for lax; `options` are those of lax."""
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


def by_platform(cpu: Callable, gradients: Callable) -> Callable:
    """Make a convolution (window, x, kernel): on CPU `cpu` with its `gradients`, else lax's."""

    def chosen(cpu, others, window, *arrays):
        cpu, others = functools.partial(cpu, window), functools.partial(others, window)
        return lax.platform_dependent(*arrays, cpu=cpu, default=others)

    @functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
    def convolution(window, x, kernel):
        return chosen(cpu, plain, window, x, kernel)

    # By hand, so that what is kept for the gradients does not depend on the platform.
    convolution.defvjp(
        lambda window, *inputs: (convolution(window, *inputs), inputs),
        lambda window, inputs, y: chosen(gradients, transposed(plain), window, *inputs, y),
    )
    return convolution


def plain(window: Window, x: jax.Array, kernel: jax.Array) -> jax.Array:
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


def transposed(convolution: Callable) -> Callable:
    """Make (window, x, kernel, y) -> gradients by x and kernel, for y by the output."""

    def gradients(window, x, kernel, y):
        return jax.vjp(functools.partial(convolution, window), x, kernel)[1](y)

    return gradients


def multiplied(window: Window, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve with a 1x1 kernel as a matrix product."""
    (view,) = views(window, x, kernel)
    return jnp.matmul(view, kernel[0, 0], preferred_element_type=wide(x.dtype)).astype(x.dtype)


def shifted(window: Window, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve each channel as a sum of products, which XLA computes in one loop."""
    sums = wide(x.dtype)
    weights = kernel.reshape(-1, kernel.shape[-1]).astype(sums)
    products = map(operator.mul, views(window, x.astype(sums), kernel), weights)
    return sum(products).astype(x.dtype)


def shifted_gradients(
    window: Window, x: jax.Array, kernel: jax.Array, y: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Compute what `transposed(shifted)` would give, by x as a sum of products as well."""
    back = Window((1, 1), ((0, 0), (0, 0)), window.dilation)
    by_x = shifted(back, spread(window, x.shape, kernel, y), kernel[::-1, ::-1])
    return by_x, by_taps(window, x, kernel, y).reshape(kernel.shape).astype(kernel.dtype)


def filtered(window: Window, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve with a 3x3 kernel by Winograd's algorithm."""
    sums = wide(x.dtype)
    return winograd.convolve(x.astype(sums), kernel.astype(sums), window.padding).astype(x.dtype)


def filtered_gradients(
    window: Window, x: jax.Array, kernel: jax.Array, y: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Compute what `transposed(filtered)` would give, by Winograd's algorithm."""
    images, errors, weights = (array.astype(wide(x.dtype)) for array in (x, y, kernel))
    by_x = winograd.by_input(errors, weights, window.padding)
    by_kernel = winograd.by_kernel(images, errors, window.padding)
    return by_x.astype(x.dtype), by_kernel.astype(kernel.dtype)


def by_taps(window: Window, x: jax.Array, kernel: jax.Array, y: jax.Array) -> jax.Array:
    """Sum for each tap its view times y: [taps, c].

    One reduction for all taps, which reads y once. Few taps are summed over blocks of rows
    first: so short a loop is unrolled, and what remains runs along channels, in vectors.
    """
    few = kernel.shape[0] * kernel.shape[1] <= 9
    rows = ROWS if few else y.shape[1]
    more = -y.shape[1] % rows
    (top, bottom), columns = window.padding
    window = window._replace(padding=((top, bottom + more * window.stride[0]), columns))
    sums = wide(x.dtype)

    def blocks(image):
        return image.reshape(y.shape[0], -1, rows, *y.shape[2:])

    y = jnp.pad(y.astype(sums), ((0, 0), (0, more), (0, 0), (0, 0)))
    products = [blocks(view) * blocks(y) for view in views(window, x.astype(sums), kernel)]
    zeros = [jnp.zeros((), sums)] * len(products)
    axes = (2,) if few else (2, 3)
    sums_of_blocks = lax.reduce(products, zeros, lambda a, b: tuple(map(lax.add, a, b)), axes)
    return jnp.stack([each.reshape(-1, y.shape[-1]).sum(0) for each in sums_of_blocks])


def spread(window: Window, shape: tuple[int, ...], kernel: jax.Array, y: jax.Array) -> jax.Array:
    """Put zeros between and around y's values: the kernel turned round makes x's shape of it."""
    pads = [(0, 0, 0)] * 4
    for axis in (1, 2):
        k, (stride, (before, _), dilation) = kernel.shape[axis - 1], window.along(axis)
        after = shape[axis] + before - stride * (y.shape[axis] - 1) - 1
        pads[axis] = (dilation * (k - 1) - before, after, stride - 1)
    return lax.pad(y, jnp.zeros((), y.dtype), pads)


def views(window: Window, x: jax.Array, kernel: jax.Array) -> Iterator[jax.Array]:
    """Yield what each tap of the kernel meets, row by row, in the output's shape: [B, h, w, c]."""
    x = jnp.pad(x, ((0, 0), *window.padding, (0, 0)))
    for tap in itertools.product(*map(range, kernel.shape[:2])):
        cut = [slice(None)]
        for axis in (1, 2):
            k, (stride, _, dilation) = kernel.shape[axis - 1], window.along(axis)
            first = dilation * tap[axis - 1]
            cut.append(slice(first, first + x.shape[axis] - dilation * (k - 1), stride))
        yield x[tuple(cut)]


def wide(dtype: jnp.dtype) -> jnp.dtype:
    """Return the dtype that sums are taken in."""
    return jnp.promote_types(dtype, jnp.float32)


depthwise = by_platform(shifted, shifted_gradients)
pointwise = by_platform(multiplied, transposed(multiplied))
tiled = by_platform(filtered, filtered_gradients)


@jax.custom_vjp
def max_pool(x: jax.Array) -> jax.Array:
    """Take the largest of 3x3, stride 2, padded alike; the gradient goes to the first of them."""
    return lax.platform_dependent(x, cpu=compared, default=reduced)


def reduced(x: jax.Array) -> jax.Array:
    """Compute `max_pool` by lax."""
    return nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))


def max_pool_gradient(x: jax.Array, y: jax.Array) -> tuple[jax.Array]:
    """Compute the gradient by x for y by the output, in the platform's way."""

    def back(pool):
        return lambda x, y: jax.vjp(pool, x)[1](y)

    return lax.platform_dependent(x, y, cpu=back(compared), default=back(reduced))


def compared(x: jax.Array) -> jax.Array:
    """Compute `max_pool` by comparisons, along columns and then rows."""
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


max_pool.defvjp(lambda x: (max_pool(x), x), max_pool_gradient)
