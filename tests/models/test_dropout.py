"""Dropout: one key masks a batch as flax does; keys of examples mask each alone."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from salx.models import model as networks
from salx.models import zoo
from salx.models.model import Model
from tests.models.nets import quick


class Masks(nn.Module):
    """Ones through two Dropout layers, one of which is called twice, without arithmetic."""

    rate: float = 0.5

    @nn.compact
    def __call__(self, x, *, batch_stats=False, dropout=False):
        twice = nn.Dropout(self.rate, deterministic=not dropout)
        broadcast = nn.Dropout(self.rate, broadcast_dims=(1,), deterministic=not dropout)
        ones = jnp.ones(x.shape[:3])
        out = {"first": twice(ones), "second": twice(ones), "rows": broadcast(ones)}
        return x.mean((1, 2)), out


def model_of(module: nn.Module) -> Model:
    return Model("m", module, (8, 8, 1), (0.5,), (0.25,))


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), np.uint8)


def keys_of(ids) -> jax.Array:
    """A key for each example's id."""
    return jax.vmap(lambda i: jax.random.fold_in(jax.random.key(3), i))(jnp.asarray(ids))


@jax.jit
def masks(x, dropout):
    return networks.forward(model_of(Masks()), {}, x, dropout=dropout)[0][1]


def test_masks_of_keys_are_equal_for_every_batch_size_and_order():
    x, ids = images(64), np.arange(64)
    whole = jax.device_get(masks(x, keys_of(ids)))
    order = ids[::-1]
    turned = jax.device_get(masks(x[order], keys_of(order)))
    for i in (0, 7, 63):
        alone = jax.device_get(masks(x[i : i + 1], keys_of([i])))
        for name in whole:
            np.testing.assert_array_equal(alone[name][0], whole[name][i])
            np.testing.assert_array_equal(turned[name][63 - i], whole[name][i])


def test_masks_differ_between_examples_layers_and_calls():
    out = jax.device_get(masks(images(64), keys_of(np.arange(64))))
    assert len({mask.tobytes() for name in ("first", "second") for mask in out[name]}) == 128
    assert set(np.unique(out["first"])) == {0.0, 2.0}
    assert abs(out["first"].mean() - 1) < 0.05
    assert (out["rows"] == out["rows"][:, :1]).all()  # one mask for all rows of an image
    assert len({mask.tobytes() for mask in out["rows"]}) > 32


def test_one_key_draws_what_flax_draws():
    key, x = jax.random.key(5), images(4)
    ours = masks(x, key)
    theirs = Masks().apply({}, jnp.zeros((4, 8, 8, 1)), dropout=True, rngs={"dropout": key})[1]
    for name, mask in ours.items():
        np.testing.assert_array_equal(mask, theirs[name])


@pytest.mark.parametrize(
    "name",
    [
        "tests.outside.models:TwoLayers",
        pytest.param("mobilenet_v3_small", marks=pytest.mark.slow),
        pytest.param("deeplab_mobilenet_v3_small", marks=pytest.mark.slow),
    ],
)
def test_training_of_a_network_is_that_of_its_module_with_flax(name):
    """`forward` adds nothing to the key: the module's own call gives the same bits."""
    module = zoo.get(name)(classes=3)
    model = Model("m", module, (32, 32, 3), (0.5,) * 3, (0.25,) * 3)
    variables = networks.init(model, jax.random.key(0))
    x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)

    @quick
    def both(variables, x, key):
        normalised = (x.astype(jnp.float32) / 255 - 0.5) / 0.25
        switches = {"batch_stats": True, "dropout": True, "mutable": ["batch_stats"]}
        theirs = module.apply(variables, normalised, **switches, rngs={"dropout": key})
        return networks.forward(model, variables, x, batch_stats=True, dropout=key), theirs

    ours, theirs = both(variables, x, jax.random.key(1))
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


@pytest.mark.slow
def test_dropout_leaves_the_running_statistics_in_use():
    module = zoo.get("mobilenet_v3_small")(classes=3)
    model = Model("m", module, (32, 32, 3), (0.5,) * 3, (0.25,) * 3)
    variables = quick(lambda: networks.init(model, jax.random.key(0)))()
    x = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)

    @quick
    def passes(variables, x, keys):
        dropped, moved = networks.forward(model, variables, x, dropout=keys)
        return networks.forward(model, variables, x)[0], dropped, moved

    (logits, out), (dropped, dropped_out), moved = passes(variables, x, keys_of(range(4)))
    assert moved == {}
    np.testing.assert_allclose(out["features"], dropped_out["features"], rtol=1e-5, atol=1e-6)
    assert np.abs(logits - dropped).max() > 0


def test_networks_tell_whether_they_have_dropout():
    def has(name, **options):
        module = zoo.get(name)(classes=2, **options)
        return networks.has_dropout(Model("m", module, (32, 32, 3), (0.5,) * 3, (0.25,) * 3))

    assert has("mobilenet_v3_small")
    assert not has("mobilenet_v3_small", dropout=0.0)
    assert not has("cifar_resnet8")
    assert networks.has_dropout(model_of(Masks()))


class Flattened(nn.Module):
    """Dropout over examples and pixels in one axis, which no key of an example can mask."""

    @nn.compact
    def __call__(self, x, *, batch_stats=False, dropout=False):
        flat = nn.Dropout(0.5, deterministic=not dropout)(x.reshape(-1, 1))
        return flat.reshape(x.shape).mean((1, 2)), {}


def test_keys_need_the_examples_first():
    with pytest.raises(ValueError, match=r"Dropout_0: inputs \(128, 1\) are not 2 examples"):
        networks.forward(model_of(Flattened()), {}, images(2), dropout=keys_of([0, 1]))


def test_the_last_linear_layer():
    for name in ("cifar_resnet8", "resnet20"):
        model = Model("m", zoo.get(name)(classes=5), (32, 32, 3), (0.5,) * 3, (0.25,) * 3)
        variables = quick(lambda model=model: networks.init(model, jax.random.key(0)))()
        (logits, out), _ = quick(lambda v, x, m=model: networks.forward(m, v, x))(
            variables, np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
        )
        w, b = networks.classifier_of(model, variables)
        np.testing.assert_allclose(out["features"] @ w + b, logits, rtol=1e-4, atol=1e-5)
    pixels = Model("m", zoo.get("deeplab_resnet20")(classes=5), (32, 32, 3), (0.5,) * 3, (1.0,) * 3)
    shapes = jax.eval_shape(lambda: networks.init(pixels, jax.random.key(0)))
    assert networks.classifier_of(pixels, shapes) is None


def test_models_are_equal_by_value():
    a, b = (Model(label, zoo.get("resnet18")(classes=5), (8, 8, 3), (0.5,) * 3, (1.0,) * 3)
            for label in "ab")  # fmt: skip
    assert a == b
    assert hash(a) == hash(b)
    assert a != Model("a", zoo.get("resnet18")(classes=6), (8, 8, 3), (0.5,) * 3, (1.0,) * 3)
