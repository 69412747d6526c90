"""The convolutions that are computed in our own way, against lax's."""

import functools
import os
import subprocess
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from salx.models import conv

QUICK = {"xla_backend_optimization_level": 0}
TOLERANCE = {"float32": 2e-5, "bfloat16": 2e-2}  # of the largest value

# Height, width, kernel, stride, dilation, padding.
WINDOWS = [
    (7, 9, (3, 3), 1, 1, 1),
    (8, 8, (3, 3), 2, 1, 1),
    (9, 6, (5, 5), 2, 1, 2),
    (9, 9, (3, 3), 1, 2, 2),
    (5, 5, (3, 3), 1, 6, 6),
    (10, 7, (3, 3), 2, 2, 2),
    (8, 9, (3, 3), 2, 1, "SAME"),
    (7, 7, (5, 5), 2, 1, "SAME"),
    (6, 7, (3, 3), 1, 2, "SAME"),
    (6, 8, (1, 1), 1, 1, 0),
    (7, 8, (1, 1), 2, 1, 0),
    (9, 8, (3, 2), (2, 3), (1, 2), ((0, 2), (3, 1))),
    (6, 6, (1, 1), 3, 1, 2),
    (8, 8, (2, 3), 4, 1, "VALID"),
    (1, 1, (3, 3), 2, 1, 1),
]


def both(x, kernel, y, **window):
    """Output and gradients of a function of x and kernel: ours, and those of plain nn.Conv."""

    def results(cls):
        module = cls(kernel.shape[-1], kernel.shape[:2], use_bias=False, dtype=x.dtype, **window)

        @functools.partial(jax.jit, compiler_options=QUICK)
        def run(x, kernel, y):
            out, back = jax.vjp(lambda x, k: module.apply({"params": {"kernel": k}}, x), x, kernel)
            return out, *back(y[:, : out.shape[1], : out.shape[2]])

        return run(x, kernel, y)

    return results(conv.Conv), results(nn.Conv)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("depthwise", [True, False], ids=["depthwise", "dense"])
def test_outputs_and_gradients_are_those_of_lax(depthwise, window, dtype, monkeypatch):
    monkeypatch.setattr(conv, "WIDE", 1)  # all dense convolutions in our own way
    height, width, size, stride, dilation, padding = window
    channels, features = (5, 5) if depthwise else (5, 4)
    random = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(random.normal(size=shape), dtype)  # noqa: E731
    x = draw(2, height, width, channels)
    kernel = draw(*size, 1 if depthwise else channels, features).astype(jnp.float32)
    options = {"strides": stride, "kernel_dilation": dilation, "padding": padding}
    options["feature_group_count"] = channels if depthwise else 1
    for ours, theirs in zip(*both(x, kernel, draw(2, 20, 20, features), **options), strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        ours, theirs = np.float64(ours), np.float64(theirs)
        assert np.abs(ours - theirs).max() <= TOLERANCE[dtype] * np.abs(theirs).max()
