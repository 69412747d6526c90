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

A = ((1, 1, 1, 0), (0, 1, -1, -1))
B = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
G = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))

T = TypeVar("T")
Matrix = tuple[tuple[float, ...], ...]
Grid = Sequence[Sequence[jax.Array]]  # a matrix of arrays of one shape
Padding = tuple[tuple[int, int], tuple[int, int]]  # (before, after) rows and columns


def convolve(x: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Compute the convolution of x[B, h, w, c] with kernel[3, 3, c, d]."""
    return filtered(x, kernel, padding, 0)


def by_input(y: jax.Array, kernel: jax.Array, padding: Padding) -> jax.Array:
    """Compute the gradient by x, for y by the output: convolve with the kernel turned round."""
    padding = tuple((2 - before, 2 - after) for before, after in padding)
    return filtered(y, kernel[::-1, ::-1], padding, 1)


def by_kernel(x: jax.Array, y: jax.Array, padding: Padding) -> jax.Array:
    """Compute the gradient by the kernel, for y by the output: G' [(B x B') * (A' y A)] G.

    Columns before rows: XLA would know B x B' from the forward pass, and keep four times x.
    """
    inputs = both(B, turned(tiles(x, padding, 4)))
    outputs = both(turned(A), turned(tiles(y, ((0, 0), (0, 0)), 2)))
    kernels = both(turned(G), products(inputs, outputs, 0, 0))
    return jnp.stack(list(map(jnp.stack, turned(kernels))))


def filtered(x: jax.Array, kernel: jax.Array, padding: Padding, channels: int) -> jax.Array:
    """Compute a convolution in which `channels` is the axis of each g that meets x's channels."""
    height, width = (n + sum(pads) - 2 for n, pads in zip(x.shape[1:3], padding, strict=True))
    inputs = both(B, tiles(x, padding, 4))
    outputs = both(A, products(inputs, both(G, kernel), 1, channels))
    shape = inputs[0][0].shape[:3]
    y = jnp.stack([jnp.stack([m.reshape(*shape, -1) for m in row], 3) for row in outputs], 2)
    return y.reshape(x.shape[0], 2 * shape[1], 2 * shape[2], -1)[:, :height, :width]


def tiles(x: jax.Array, padding: Padding, size: int) -> Grid:
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


def products(ours: Grid, theirs: Grid, axis: int, other: int) -> Grid:
    """Multiply each array of a grid, as rows of channels, with its partner, over the two axes."""

    def product(a, b):
        a, b = (array.reshape(-1, array.shape[-1]) for array in (a, b))
        return lax.dot_general(a, b, (((axis,), (other,)), ((), ())))

    return [list(map(product, *rows)) for rows in zip(ours, theirs, strict=True)]


def both(matrix: Matrix, grid: Grid) -> Grid:
    """Compute matrix @ grid @ matrix', of arrays."""
    columns = [along(matrix, column) for column in zip(*grid, strict=True)]
    return [along(matrix, row) for row in zip(*columns, strict=True)]


def along(matrix: Matrix, arrays: Sequence[jax.Array]) -> list[jax.Array]:
    """Compute matrix @ arrays; what is multiplied by 0 or 1 is not multiplied."""

    def combined(row):
        first, *others = (a if r == 1 else r * a for r, a in zip(row, arrays, strict=True) if r)
        return sum(others, first)

    return list(map(combined, matrix))


def turned(matrix: Sequence[Sequence[T]]) -> tuple[tuple[T, ...], ...]:
    """Transpose a matrix of numbers or arrays."""
    return tuple(zip(*matrix, strict=True))
