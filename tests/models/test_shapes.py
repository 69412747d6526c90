"""Odd sizes, small batches, dtypes, taps, and what cannot work."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from salx.data import datasets
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.models import zoo
from tests.models import nets

TRAINING = {"batch_stats": True, "dropout": True, "mutable": ["batch_stats"]}
STAGES = ("stage1", "stage2", "stage3", "stage4")


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


def outputs(name, height, width, batch=1, training=False, **options):
    """Shapes and dtypes of (logits, out); nothing is computed."""
    module = zoo.get(name)(**{"classes": 5, **options})
    images = jax.ShapeDtypeStruct((batch, height, width, 3), jnp.float32)
    keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
    run = functools.partial(module.init_with_output, batch_stats=training, dropout=training)
    (logits, out), variables = jax.eval_shape(run, keys, images)
    return logits, out, variables


@pytest.mark.parametrize("name", nets.BACKBONES)
@pytest.mark.parametrize(("stride", "size"), [(8, (513, 1025)), (16, (299, 299)), (32, (33, 1))])
def test_backbones_halve_rounding_up(name, stride, size):
    logits, out, _ = outputs(name, *size, classes=None, output_stride=stride)
    assert logits is None
    features, maps = out.pop("features"), list(out.values())
    for number, x in enumerate(maps):
        share = min(4 * 2**number, stride)
        assert x.shape[1:3] == tuple(-(-n // share) for n in size)
    assert features.shape == (1, maps[-1].shape[-1])


@pytest.mark.parametrize("name", nets.DEEPLABS)
@pytest.mark.parametrize("size", [(513, 1025), (299, 299), (17, 5)])
def test_deeplabs_answer_at_the_images_size(name, size):
    logits, out, _ = outputs(name, *size, classes=1)
    assert logits.shape == (1, *size, 1)
    assert set(out) == {"low_level", "high_level", "aspp", "before_last"}
    assert out["before_last"].shape == (1, *(-(-n // 4) for n in size), 256)
    assert out["aspp"].shape[1:3] == tuple(-(-n // 16) for n in size)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet18", (64, 128, 256, 512)),
        ("resnet50", (256, 512, 1024, 2048)),
        ("mobilenet_v3_small", (16, 24, 48, 576)),
        ("mobilenet_v3_large", (24, 40, 112, 960)),
        ("xception65", (256, 728, 1024, 2048)),
    ],
)
def test_taps(name, channels):
    _, out, _ = outputs(name, 64, 64)
    assert tuple(out[stage].shape[-1] for stage in STAGES) == channels


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "deeplab_resnet20"])
def test_bfloat16_is_for_activations_alone(name):
    logits, out, variables = outputs(name, 64, 64, dtype="bfloat16", training=True)
    assert logits.dtype == jnp.float32
    kept = {"features"}
    assert all(x.dtype == jnp.bfloat16 for tap, x in out.items() if tap not in kept)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))


@pytest.mark.parametrize("name", ["resnet20", "deeplab_resnet20"])
def test_bfloat16_is_near_float32_and_one_image_trains(name):
    images = jnp.asarray(np.random.default_rng(0).normal(size=(1, 33, 47, 3)), jnp.float32)
    variables = nets.filled(zoo.get(name)(classes=1))

    @nets.quick
    def logits(variables):
        each = [zoo.get(name)(classes=1, dtype=dtype) for dtype in ("float32", "bfloat16")]
        return [module.apply(variables, images)[0] for module in each]

    @nets.quick
    def trained(variables):
        keys, module = {"dropout": jax.random.key(1)}, zoo.get(name)(classes=1)
        return module.apply(variables, images, **TRAINING, rngs=keys)

    exact, coarse = logits(variables)
    assert np.abs(coarse - exact).max() < 0.1 * np.abs(exact).max()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(trained(variables)))


def test_dropout_is_drawn_from_the_key():
    module = zoo.get("deeplab_resnet20")(classes=2, dropout=0.5)
    images, variables = jnp.ones((2, 32, 32, 3)), nets.filled(module)

    @nets.quick
    def trained(seed):
        rngs = {"dropout": jax.random.key(seed)}
        (logits, _), _ = module.apply(variables, images, **TRAINING, rngs=rngs)
        return logits

    assert (trained(1) == trained(1)).all()
    assert not (trained(1) == trained(2)).all()


def test_one_channel_given_to_three(digits):
    colour = digits._replace(image_shape=(32, 32, 3), mean=(0.5,) * 3, std=(0.5,) * 3)
    model = networks.build("m", {"name": "resnet20"}, colour)
    with pytest.raises(InputError, match="model m: images have 1 channels, not 3"):
        networks.forward(model, {}, jnp.zeros((2, 32, 32, 1), jnp.uint8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet18", "output_stride": 4}, "output_stride=4 must be one of 8, 16, 32"),
        (
            {"name": "resnet18", "dtype": "float16"},
            "unknown config.models.m.dtype 'float16'; did you mean 'bfloat16'",
        ),
        (
            {"name": "mobilenet_v3_small", "origin": "keras"},
            "origin 'keras'; known: tf, timm, torchvision",
        ),
        ({"name": "deeplab_mobilenet_v3_small", "orgin": "timm"}, "did you mean 'origin'"),
        ({"name": "resnet18", "blocks": (1,)}, "unknown option"),
        ({"name": "resnet19"}, "did you mean 'resnet18'"),
    ],
)
def test_bad_options_are_named(digits, options, message):
    with pytest.raises(InputError, match=message) as error:
        networks.build("m", options, digits)
    assert "config.models.m" in str(error.value)


def test_no_classes(digits):
    with pytest.raises(InputError, match="has no classes"):
        networks.build("m", {"name": "resnet18"}, digits._replace(classes=()))
