"""Networks with seeded weights, and a jit that compiles quickly, for the tests beside it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from salx.models import weight_files, weights, zoo
from tests.models import seeded

DEEPLABS = [name for name in zoo.names() if name.startswith("deeplab_")]
BACKBONES = [name.removeprefix("deeplab_") for name in DEEPLABS]

# XLA's time goes into compiling, and the convolutions are as fast without its optimisations.
quick = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


@functools.cache  # tracing a network takes seconds, and each is wanted by several tests
def shapes(module, height: int = 64, width: int = 64) -> dict:
    """Shapes of the variables, not to be changed; nothing is computed."""
    image = jax.ShapeDtypeStruct((1, height, width, 3), jnp.float32)
    return jax.eval_shape(module.init, jax.random.key(0), image)


def ones(module) -> dict:
    return jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), shapes(module))


def in_torch(module) -> weight_files.Arrays:
    """A file of PyTorch's for a module, with seeded weights."""
    return dict(_in_torch(module))


@functools.lru_cache(maxsize=2)
def _in_torch(module) -> weight_files.Arrays:
    blank = {
        name: np.broadcast_to(np.float32(0), leaf.shape)
        for name, leaf in weights.flatten(shapes(module)).items()
    }
    named = weights.as_torch(module, blank)
    return {name: seeded.weight(name, array.shape) for name, array in named.items()}


def filled(module) -> dict:
    """Variables from the seeded file, by way of its names in PyTorch."""
    return weights.fill(module, shapes(module), in_torch(module), "seeded")
