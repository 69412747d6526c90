"""3x3 convolutions of stride 1 with 16 products in place of 36: Winograd's F(2x2, 3x3).

With 4x4 inputs x that overlap by two, a kernel g and 2x2 outputs y,

    y = A [(G g G') * (B x B')] A',

where * multiplies element by element and sums over channels: 16 products of matrices, over all
tiles of all images. From Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks",
2016, arXiv:1509.09308, equation 8.
"""

from collections.abc import Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

A = ((1, 1, 1, 0), (0, 1, -1, -1))
B = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
G = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))

T = TypeVar("T")
Matrix = tuple[tuple[float, ...], ...]
Grid = Sequence[Sequence[jax.Array]]  # a matrix of arrays of one shape
Padding = tuple[tuple[int, int], tuple[int, int]]  # (before, after) rows and columns


def convolve(
    x: Float[Array, "batch height width channels"],
    kernel: Float[Array, "3 3 channels features"],
    padding: Padding,
) -> Float[Array, "batch rows columns features"]:
    """Compute the convolution of images with a kernel, with stride 1.

    Args:
      x: the images.
      kernel: the kernel.
      padding: zeros (before, after) rows, and columns.

    Returns:
      The convolution; rows = height + before + after - 2, columns likewise.
    """
    return _filtered(x, kernel, padding, 0)


def by_input(
    y: Float[Array, "batch rows columns features"],
    kernel: Float[Array, "3 3 channels features"],
    padding: Padding,
) -> Float[Array, "batch height width channels"]:
    """Compute the gradient by x: the convolution of y with the kernel turned round.

    Args:
      y: the gradient by the output of `convolve`.
      kernel: as `convolve` took it.
      padding: likewise.

    Returns:
      The gradient by the images.
    """
    padding = tuple((2 - before, 2 - after) for before, after in padding)
    return _filtered(y, kernel[::-1, ::-1], padding, 1)


def by_kernel(
    x: Float[Array, "batch height width channels"],
    y: Float[Array, "batch rows columns features"],
    padding: Padding,
) -> Float[Array, "3 3 channels features"]:
    """Compute the gradient by the kernel: G' [(B x B') * (A' y A)] G, summed over tiles.

    Args:
      x: as `convolve` took it.
      y: the gradient by its output.
      padding: as `convolve` took it.

    Returns:
      The gradient by the kernel.
    """
    # Columns before rows: XLA would know B x B' from the forward pass, and keep four times x.
    inputs = _both(B, _turned(_tiles(x, padding, 4)))
    outputs = _both(_turned(A), _turned(_tiles(y, ((0, 0), (0, 0)), 2)))
    kernels = _both(_turned(G), _products(inputs, outputs, 0, 0))
    return jnp.stack(list(map(jnp.stack, _turned(kernels))))


def _filtered(
    x: Float[Array, "batch height width channels"],
    kernel: Float[Array, "3 3 inputs outputs"],
    padding: Padding,
    channels: int,
) -> Float[Array, "batch rows columns features"]:
    """Compute a convolution in which `channels` is the axis of each g that meets x's channels."""
    height, width = (n + sum(pads) - 2 for n, pads in zip(x.shape[1:3], padding, strict=True))
    inputs = _both(B, _tiles(x, padding, 4))
    outputs = _both(A, _products(inputs, _both(G, kernel), 1, channels))
    shape = inputs[0][0].shape[:3]
    y = jnp.stack([jnp.stack([m.reshape(*shape, -1) for m in row], 3) for row in outputs], 2)
    return y.reshape(x.shape[0], 2 * shape[1], 2 * shape[2], -1)[:, :height, :width]


def _tiles(x: jax.Array, padding: Padding, size: int) -> Grid:
    """Cut out the elements of x's tiles of size x size, two apart: each [B, rows, columns, c]."""
    (top, bottom), (left, right) = padding
    bottom, right = (
        bottom + (x.shape[1] + top + bottom) % 2,
        right + (x.shape[2] + left + right) % 2,
    )
    x = lax.pad(
        x, jnp.zeros((), x.dtype), ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0))
    )
    rows, columns = (n - size + 1 for n in x.shape[1:3])
    return [[x[:, i : i + rows : 2, j : j + columns : 2] for j in range(size)] for i in range(size)]


def _products(ours: Grid, theirs: Grid, axis: int, other: int) -> Grid:
    """Multiply each array of a grid, as rows of channels, with its partner, over the two axes."""

    def product(a, b):
        a, b = (array.reshape(-1, array.shape[-1]) for array in (a, b))
        return lax.dot_general(a, b, (((axis,), (other,)), ((), ())))

    return [list(map(product, *rows)) for rows in zip(ours, theirs, strict=True)]


def _both(matrix: Matrix, grid: Grid) -> Grid:
    """Compute matrix @ grid @ matrix', of arrays."""
    columns = [_along(matrix, column) for column in zip(*grid, strict=True)]
    return [_along(matrix, row) for row in zip(*columns, strict=True)]


def _along(matrix: Matrix, arrays: Sequence[jax.Array]) -> list[jax.Array]:
    """Compute matrix @ arrays; what is multiplied by 0 or 1 is not multiplied."""

    def combined(row):
        first, *others = (a if r == 1 else r * a for r, a in zip(row, arrays, strict=True) if r)
        return sum(others, first)

    return list(map(combined, matrix))


def _turned(matrix: Sequence[Sequence[T]]) -> tuple[tuple[T, ...], ...]:
    """Transpose a matrix of numbers or arrays."""
    return tuple(zip(*matrix, strict=True))
