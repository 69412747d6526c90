from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from salx import policies
from salx.data import datasets
from salx.infra.checkpoint import digest
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.models.loss_prediction import LossPrediction, auxiliary_loss, ranking_loss
from salx.training.loop import Trainer
from salx.training.metrics import empty_metrics
from salx.training.step import Trained
from tests import builders, oracles, pixels
from tests.oracles import entropy, log_softmax

RECIPE = builders.recipe(batch=16)


numbers = st.floats(-50, 50, width=32) | st.sampled_from([0.0, 1.0])


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(np.float32, (6, 2, 3), elements=numbers),
    hnp.arrays(np.float32, (6, 2, 3), elements=numbers),
    hnp.arrays(bool, (6, 2, 3)),
)
def test_ranking_loss_against_float64(p, losses, counted):
    value = jax.jit(ranking_loss)(p, losses, counted, 1.0)
    assert value == pytest.approx(oracles.ranking_loss(p, losses, counted, 1.0), rel=1e-4, abs=1e-5)


def test_ranking_gradient_against_differences():
    rng = np.random.default_rng(0)
    p, losses = rng.normal(size=(8,)), rng.normal(size=(8,))
    counted = np.ones(8, bool)
    grads = jax.grad(ranking_loss, argnums=(0, 1))(jnp.float32(p), losses, counted, 1.0)
    for k in range(8):
        step = np.eye(8)[k] * 1e-4
        up, down = (oracles.ranking_loss(p + s * step, losses, counted, 1.0) for s in (1, -1))
        assert grads[0][k] == pytest.approx((up - down) / 2e-4, abs=1e-4)
    assert not np.any(grads[1])  # the true loss is a target, not a way to cheat


@pytest.mark.parametrize(("progress", "moves"), [(0.0, True), (0.59, True), (0.6, False)])
def test_the_network_is_let_go_after_its_share_of_the_training(progress, moves):
    head = LossPrediction(width=4)
    rng = np.random.default_rng(1)
    out = {"stage1": rng.normal(size=(4, 2, 2, 3)), "features": rng.normal(size=(4, 3))}
    out, logits = jax.tree.map(jnp.float32, out), jnp.zeros((4, 5))
    params = head.init(jax.random.key(0), logits, out)["params"]
    losses, counted = jnp.arange(4.0), np.ones(4, bool)

    def loss(params, out):
        return auxiliary_loss(
            head, params, logits, out, False, losses, counted, jnp.float32(progress)
        )

    own, taps = jax.grad(loss, argnums=(0, 1))(params, out)
    assert any(np.any(leaf) for leaf in jax.tree.leaves(own))
    assert bool(np.any(taps["stage1"])) == moves


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


@pytest.fixture(scope="module")
def model(digits):
    return networks.build("m", {"name": "cifar_resnet8", "width": 4}, digits)


def fit(model, dataset, folder, head=None, recipe=RECIPE):
    return builders.fit(Trained(model, recipe, dataset.task, head), dataset, folder)


def test_a_head_starts_beside_the_same_weights_and_resumes(tmp_path, digits, model):
    head = policies.build("learning_loss", {}).needs.head
    made = (Trained(model, RECIPE, digits.task, each) for each in (None, head))
    plain, beside = (Trainer().initial(what)(3, 9) for what in made)
    assert digest(plain.params) == digest(beside.params)
    assert plain.head == {}
    once = fit(model, digits, tmp_path, head)
    assert digest(fit(model, digits, tmp_path, head)) == digest(once)
    assert set(once.variables) == {"params", "batch_stats", "head"}


def test_a_detached_head_leaves_the_network_alone(digits, model):
    """Past its share, the network moves as if there were no head, and the head goes on."""
    head = policies.build("learning_loss", {"attached": 0.05}).needs.head
    fields = {"image": digits.pool.images[:16], "label": digits.pool.labels[:16]}
    batch = {**fields, "id": np.arange(16, dtype=np.int32)}

    def moved(head):
        what, trainer = Trained(model, RECIPE, digits.task, head), Trainer()
        state = trainer.initial(what)(0, 10).replace(step=jnp.int32(1))
        before = jax.device_get(state.head)
        state, _ = trainer.step(what)(state, empty_metrics(), batch)
        return state, before

    (alone, _), (beside, before) = moved(None), moved(head)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)  # noqa: E731
    jax.tree.map(close, beside.params, alone.params)
    assert digest(beside.head["params"]) != digest(before["params"])


class Spoiled:
    """Digits of which every second one is inverted and has a random label."""

    def __init__(self, digits, seed):
        rng = np.random.default_rng(seed)
        self.spoiled = np.arange(len(digits)) % 2 == 1
        images = np.where(self.spoiled[:, None, None, None], 255 - digits.images, digits.images)
        self.images = images.astype(np.uint8)
        drawn = rng.integers(0, 10, len(digits)).astype(np.int32)
        self.labels = np.where(self.spoiled, drawn, digits.labels)
        self.keys = digits.keys

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        return {"image": self.images[index], "label": self.labels[index]}

    take = __getitem__


def test_a_predictable_loss_is_learnt(tmp_path, digits, model):
    policy = policies.build("learning_loss", {})
    recipe = replace(RECIPE, steps=300, batch=32, schedule="cosine", warmup=0.1)
    spoiled = digits._replace(pool=Spoiled(digits.pool, 0))
    state = fit(model, spoiled, tmp_path, policy.needs.head, recipe)
    val = Spoiled(digits.val, 1)
    ids = np.arange(len(val))
    surrogate = builders.network(model, state.variables, digits, policy)
    predicted = builders.scores(surrogate, policy, digits._replace(pool=val), ids, 120)
    own = {"params": state.params, "batch_stats": state.batch_stats}
    (logits, _), _ = networks.forward(model, own, val.images)
    losses = digits.task.losses(logits, val.labels)
    assert stats.spearmanr(predicted, losses).statistic > 0.5


def test_true_loss_is_the_cross_entropy_with_the_pools_labels(digits, model, fresh):
    variables, ids = fresh(model, 1), np.array([5, 900, 3])
    policy = policies.build("true_loss", {})
    surrogate = builders.network(model, variables, digits)
    scores = builders.scores(surrogate, policy, digits, ids, 2)
    (logits, _), _ = networks.forward(model, variables, digits.pool.images[ids])
    expected = -log_softmax(logits)[np.arange(3), digits.pool.labels[ids]]
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


@pytest.fixture(scope="module")
def squares():
    dataset, model = pixels.dataset(), pixels.model()
    return dataset, model, jax.jit(lambda: networks.init(model, jax.random.key(0)))()


def inside(source, index):
    height, width = source.sizes[index]
    return (np.arange(8) < height)[:, None] & (np.arange(12) < width)


@pytest.mark.parametrize("how", ["sum", "mean"])
@pytest.mark.parametrize("name", ["entropy", "true_loss"])
def test_pixels_that_are_padding_or_void_are_not_scored(squares, name, how):
    dataset, model, variables = squares
    ids, source = np.array([7, 0, 31, 2, 39]), dataset.pool
    policy = policies.build(name, {"aggregation": how})
    surrogate = builders.network(model, variables, dataset)
    scores = builders.scores(surrogate, policy, dataset, ids, 2)
    logits = np.asarray(networks.forward(model, variables, source.images[ids])[0][0])
    for k, index in enumerate(ids):
        if name == "entropy":
            values = entropy(logits[k])[inside(source, index)]
        else:
            labels = source.labels[index]
            counted = inside(source, index) & (labels != 255)
            values = -log_softmax(logits[k])[counted, labels[counted]]
        expected = values.sum() if how == "sum" else values.mean()
        assert scores[k] == pytest.approx(expected, rel=1e-4)


def test_learning_loss_of_pixels(tmp_path, squares):
    dataset, model, _ = squares
    policy = policies.build("learning_loss", {"width": 4})
    state = fit(model, dataset, tmp_path, policy.needs.head, replace(RECIPE, steps=6, batch=8))
    surrogate = builders.network(model, state.variables, dataset, policy)
    scores = builders.scores(surrogate, policy, dataset, np.arange(5), 2)
    own = {"params": state.params, "batch_stats": state.batch_stats}
    (logits, out), _ = networks.forward(model, own, dataset.pool.images[:5])
    maps = policy.needs.head.apply({"params": state.head["params"]}, logits, out, dense=True)
    assert maps.shape == (5, 8, 12)
    for k in range(5):
        expected = np.asarray(maps)[k][inside(dataset.pool, k)].sum()
        assert scores[k] == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("learning_loss", {"margn": 2}, "did you mean 'margin'"),
        (
            "learning_loss",
            {"weight": 0},
            r"learning_loss\.weight=0 must be .* above 0",
        ),
        ("true_loss", {"aggregation": "max"}, "known: mean, sum"),
        ("core_set", {"distance": "cosine"}, r"core_set\.distance 'cosine'; known: euclidean"),
    ],
)
def test_bad_options_are_named(name, options, message):
    with pytest.raises(InputError, match=message):
        policies.build(name, options)
