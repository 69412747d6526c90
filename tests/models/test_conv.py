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

from salx.models import conv, zoo
from tests.compilation_cache import devices
from tests.models import nets
from tests.models.three_layers import KERNELS, loss

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
def test_outputs_and_gradients_are_those_of_lax(depthwise, window, dtype):
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


@pytest.mark.parametrize("padding", [1, "VALID", ((0, 3), (2, 1)), ((3, 0), (1, 4))], ids=str)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_wide_3x3_is_that_of_lax(padding, dtype):
    random = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(random.normal(size=shape), dtype)  # noqa: E731
    x, kernel = draw(3, 15, 12, 66), draw(3, 3, 66, 64).astype(jnp.float32)
    options = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": 1}
    options |= {"lhs_dilation": (1, 1), "rhs_dilation": (1, 1), "precision": None}
    assert conv.formulation(x, kernel, (1, 1), options) is conv.tiled
    for ours, theirs in zip(*both(x, kernel, draw(3, 20, 20, 64), padding=padding), strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        ours, theirs = np.float64(ours), np.float64(theirs)
        assert np.abs(ours - theirs).max() <= TOLERANCE[dtype] * np.abs(theirs).max()


@pytest.mark.parametrize("shape", [(2, 7, 8, 3), (1, 1, 1, 2), (2, 12, 5, 1)])
def test_max_pool_sends_its_gradient_where_lax_does(shape):
    random = np.random.default_rng(0)
    x = jnp.asarray(random.integers(0, 3, shape), jnp.float32)  # with ties
    pool = functools.partial(nn.max_pool, window_shape=(3, 3), strides=(2, 2))
    theirs, back = jax.vjp(functools.partial(pool, padding=((1, 1), (1, 1))), x)
    y = jnp.asarray(random.normal(size=theirs.shape), jnp.float32)
    ours, ours_back = jax.vjp(conv.max_pool, x)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(conv.compared(x), theirs)
    np.testing.assert_allclose(ours_back(y)[0], back(y)[0], rtol=1e-6)


@pytest.mark.parametrize(("platform", "convolutions"), [("cpu", 3), ("tpu", 9), ("cuda", 9)])
def test_each_platform_is_lowered_its_own_way(platform, convolutions):
    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in KERNELS]
    image = jax.ShapeDtypeStruct((4, 8, 8, 8), jnp.float32)
    step = jax.jit(jax.grad(loss, (0, 1)))
    text = export.export(step, platforms=[platform])(shapes, image).mlir_module()
    assert text.count("stablehlo.convolution") == convolutions
    assert ("select_and_scatter" in text) == (platform != "cpu")


CHILD = """
import jax, jax.numpy as jnp
from tests.models.three_layers import KERNELS, loss
from salx.infra import mesh
step = mesh.jit(lambda k, x: jax.grad(loss)(k, x), "step", mesh.Placement(batched=(1,)))
arrays = [jnp.ones(shape) for shape in KERNELS], jnp.ones((8, 8, 8, 8))
print(jax.device_count(), "all-gather" in step.lower(*arrays).compile().as_text())
"""


def test_no_device_gathers_the_batch():
    env = {**os.environ, "XLA_FLAGS": devices(4), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", CHILD]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["4", "False"]


def test_a_batch_may_be_symbolic():
    """One exported network for all batch sizes, Winograd's convolutions among its own."""
    module = zoo.get("resnet18")(classes=3)
    (batch,) = export.symbolic_shape("b")
    image = jax.ShapeDtypeStruct((batch, 64, 64, 3), jnp.float32)
    variables = jax.tree.map(lambda x: jnp.ones(x.shape, x.dtype), nets.shapes(module))
    forward = functools.partial(module.apply, variables)
    exported = export.export(jax.jit(lambda x: forward(x)[0]), platforms=["cpu"])(image)
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 3)).astype(np.float32)
    assert exported.call(images).shape == (3, 3)
