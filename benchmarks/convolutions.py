"""Where a network's time goes: each of its convolutions alone, ours and lax's against PyTorch's.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks.convolutions [NAME:BATCHxSIZE ...] [--rounds=5]

For each kind of convolution in a network the sums, over all its layers, of the milliseconds of
a forward pass and of both gradients; in float32, medians over rounds in which all take turns.
`im2col` is the product of matrices that a dense convolution of a larger kernel can be written as.
What a whole train step cannot fall below is the sum over its convolutions.
"""

import argparse
import collections
import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import torch
from jax import lax
from rich.console import Console
from rich.table import Table

from benchmarks.models import medians
from salx.models import conv, zoo

CASES = ["resnet18:8x224", "mobilenet_v3_small:16x224", "xception65:4x299"]


class Layer(NamedTuple):
    """A convolution of square kernels: input [B, h, w, c], kernel [k, k, c / groups, d]."""

    shape: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: int
    padding: int
    dilation: int
    groups: int

    @property
    def kind(self) -> str:
        if self.groups > 1:
            return "depthwise"
        return "1x1" if self.kernel[0] == 1 else "dense"


def layers(name: str, batch: int, size: int) -> collections.Counter[Layer]:
    """A network's convolutions with how often it has each."""
    counts = collections.Counter()

    def note(call, args, kwargs, context):
        module = context.module
        if context.method_name == "__call__" and isinstance(module, nn.Conv):
            (k, _), c = module.kernel_size, args[0].shape[-1]
            d, groups = module.features, module.feature_group_count
            stride, dilation = map(single, (module.strides, module.kernel_dilation))
            kernel = (k, k, c // groups, d)
            counts[Layer(args[0].shape, kernel, stride, module.padding, dilation, groups)] += 1
        return call(*args, **kwargs)

    image = jax.ShapeDtypeStruct((batch, size, size, 3), jnp.float32)
    module = zoo.get(name)(classes=19)
    with nn.intercept_methods(note):
        jax.eval_shape(module.init, jax.random.key(0), image)
    return counts


def single(value: int | tuple[int, ...] | None) -> int:
    """A stride or dilation, which flax takes as a number, a pair or None."""
    return (value[0] if isinstance(value, tuple) else value) or 1


def im2col(x: jax.Array, kernel: jax.Array, layer: Layer) -> jax.Array:
    """Convolve as one product of matrices."""
    k = kernel.shape[0]
    patches = lax.conv_general_dilated_patches(
        x, (k, k), (layer.stride,) * 2, [(layer.padding,) * 2] * 2,
        rhs_dilation=(layer.dilation,) * 2, dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip
    return patches @ kernel.transpose(2, 0, 1, 3).reshape(-1, kernel.shape[-1])


def jax_passes(layer: Layer, convolution: Callable) -> list[Callable]:
    """[forward, forward and gradients] of a convolution, ready to be timed."""
    x, kernel = jnp.ones(layer.shape), jnp.ones(layer.kernel)
    y = jax.jit(convolution)(x, kernel)

    @jax.jit
    def both(x, kernel, y):
        out, back = jax.vjp(convolution, x, kernel)
        return out, back(y)

    forward = jax.jit(convolution)
    return [
        lambda: jax.block_until_ready(forward(x, kernel)),
        lambda: jax.block_until_ready(both(x, kernel, y)),
    ]


def torch_passes(layer: Layer) -> list:
    b, h, w, c = layer.shape
    last = {"memory_format": torch.channels_last}
    x = torch.ones(b, c, h, w).to(**last).requires_grad_()
    k, _, each, d = layer.kernel
    kernel = torch.ones(d, each, k, k).to(**last).requires_grad_()
    window = (None, layer.stride, layer.padding, layer.dilation, layer.groups)
    y = torch.nn.functional.conv2d(x, kernel, *window).detach()

    def forward():
        with torch.inference_mode():
            torch.nn.functional.conv2d(x, kernel, *window)

    def both():
        torch.autograd.grad(torch.nn.functional.conv2d(x, kernel, *window), (x, kernel), y)

    return [forward, both]


def ways(layer: Layer) -> dict[str, list]:
    """Every way to compute a layer that is to be compared."""
    options = {
        "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
        "lhs_dilation": (1, 1),
        "rhs_dilation": (layer.dilation,) * 2,
        "feature_group_count": layer.groups,
        "precision": None,
    }
    window = ((layer.stride,) * 2, [(layer.padding,) * 2] * 2)
    passes = {"torch": torch_passes(layer)}
    for name, function in (("lax", lax.conv_general_dilated), ("ours", conv.convolve)):
        passes[name] = jax_passes(layer, lambda x, w, call=function: call(x, w, *window, **options))
    if layer.kind == "dense":
        passes["im2col"] = jax_passes(layer, functools.partial(im2col, layer=layer))
    return passes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES, metavar="NAME:BATCHxSIZE")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    names = ("torch", "lax", "ours", "im2col")
    for case in arguments.cases:
        name, _, shape = case.partition(":")
        sums = collections.defaultdict(float)
        for layer, count in layers(name, *map(int, shape.split("x"))).items():
            compared = ways(layer)
            flat = [each for passes in compared.values() for each in passes]
            seconds = iter(medians(flat, arguments.rounds, time.perf_counter))
            for way in compared:
                for label in ("forward", "with gradients"):
                    sums[layer.kind, label, way] += 1e3 * count * next(seconds)
        table = Table("convolutions", "pass", *names, title=f"{case}, ms over all layers")
        for kind, label in dict.fromkeys(key[:2] for key in sums):
            row = [f"{sums[kind, label, n]:.1f}" if (kind, label, n) in sums else "" for n in names]
            table.add_row(kind, label, *row)
        Console(width=100).print(table)


if __name__ == "__main__":
    main()
