import jax
import jax.numpy as jnp
import numpy as np
import pytest

from salx.data import datasets
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.models import zoo


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


def counted(blocks, width, channels, classes):
    """Parameters of a CIFAR ResNet by hand: convolutions, scales and biases, classifier."""
    total, before = 9 * channels * width + 2 * width, width
    for stage in range(3):
        now = width * 2**stage
        for _ in range(blocks):
            total += 9 * before * now + 9 * now * now + 4 * now
            before = now
    return total + before * classes + classes


@pytest.mark.parametrize(("name", "blocks"), [("8", 1), ("14", 2), ("20", 3)])
@pytest.mark.parametrize("width", [8, 16])
def test_parameters_are_those_counted_by_hand(digits, name, blocks, width):
    model = networks.build("m", {"name": f"cifar_resnet{name}", "width": width}, digits)
    assert networks.parameters(model) == counted(blocks, width, 1, 10)


def test_resnet20_of_the_paper_has_its_parameters():
    # He et al. state 0.27 M; with RGB input and ten classes it is 269,722 to the unit.
    assert counted(3, 16, 3, 10) == 269_722


def test_outputs_and_named_intermediates(digits, fresh):
    model = networks.build("m", {"name": "cifar_resnet8", "width": 4}, digits)
    variables = fresh(model, 0)
    images = jnp.zeros((3, 8, 8, 1), jnp.uint8)
    (logits, out), _ = networks.forward(model, variables, images)
    shapes = {name: value.shape for name, value in {"logits": logits, **out}.items()}
    assert shapes == {
        "logits": (3, 10),
        "stage1": (3, 8, 8, 4),
        "stage2": (3, 4, 4, 8),
        "stage3": (3, 2, 2, 16),
        "features": (3, 16),
    }
    np.testing.assert_allclose(out["features"], out["stage3"].mean((1, 2)), rtol=1e-6)


def test_evaluation_treats_examples_alone_and_training_does_not(digits, fresh):
    model = networks.build("m", {"name": "cifar_resnet8", "width": 4}, digits)
    variables = fresh(model, 0)
    images = np.stack([digits.pool[i]["image"] for i in range(6)])
    (together, _), _ = networks.forward(model, variables, images)
    (alone, _), _ = networks.forward(model, variables, images[2:3])
    np.testing.assert_allclose(together[2], alone[0], rtol=1e-5, atol=1e-6)
    (trained, _), moved = networks.forward(model, variables, images, batch_stats=True)
    assert np.abs(trained - together).max() > 1e-3
    changed = jax.tree.map(
        lambda old, new: np.abs(old - new).max() > 0, variables["batch_stats"], moved["batch_stats"]
    )
    assert all(jax.tree.leaves(changed))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"name": "cifar_resnet9"}, "did you mean 'cifar_resnet8'"),
        ({}, "unknown model"),
        ({"name": "cifar_resnet8", "wdth": 3}, "did you mean 'width'"),
        ({"name": "cifar_resnet8", "width": "four"}, "width='four' must be a whole number"),
        ({"name": "cifar_resnet8", "width": 0}, "width=0 must be a whole number from 1"),
    ],
)
def test_bad_models_are_named(digits, config, message):
    with pytest.raises(InputError, match=message) as error:
        networks.build("m", config, digits)
    assert "config.models.m" in str(error.value)


def test_a_runs_model_is_described_without_what_stands_beside_it():
    """Its label, its weights' digest and training of its own are no options of the module."""
    own = {"name": "cifar_resnet8", "width": 4}
    beside = {"label": "a", "pretrained": "sha256:0", "train": {"batch": 6}}
    assert networks.described({**own, **beside}, 10) == networks.described(own, 10)
    assert networks.described(own, 10) == zoo.get("cifar_resnet8")(classes=10, width=4)
