import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salx import policies, tasks
from salx.data import datasets
from salx.infra import mesh
from salx.infra.errors import InputError, RunError
from salx.models import model as networks
from salx.policies import entropy
from salx.policies.scored import Labelled, Scored
from salx.scoring.engine import Scorer
from salx.surrogates.outputs import Outputs
from tests import builders, oracles

KEYS = [f"key_{i}" for i in range(1000)]


shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=12)
logits = st.floats(-1e4, 1e4, width=32) | st.sampled_from([0.0, -0.0, 1e4, -1e4])
jitted = jax.jit(entropy.entropy)


@settings(max_examples=300, deadline=None)
@given(hnp.arrays(np.float32, st.sampled_from([(2,), (10,), (3, 5), (4, 19)]), elements=logits))
def test_entropy_against_float64(array):
    np.testing.assert_allclose(jitted(array), oracles.entropy(array), rtol=1e-4, atol=1e-5)


def test_entropy_where_naive_formulas_break():
    assert jitted(np.zeros(10, np.float32)) == pytest.approx(np.log(10), rel=1e-6)
    assert jitted(np.array([1e4, -1e4, 0], np.float32)) == 0
    assert jitted(np.full(19, -1e4, np.float32)) == pytest.approx(np.log(19), rel=1e-6)


def test_aggregation_over_pixels():
    image = np.random.default_rng(0).normal(size=(4, 6, 19)).astype(np.float32)
    for name, total in (
        ("sum", oracles.entropy(image).sum()),
        ("mean", oracles.entropy(image).mean()),
    ):
        policy = policies.build("entropy", {"aggregation": name})
        assert policy.options == {"aggregation": name}
        out = Outputs(image, np.ones((4, 6), bool), task=tasks.get("segmentation"))
        assert policy.score(out) == pytest.approx(total, rel=1e-5)
    assert policies.build("entropy", {}).options == {"aggregation": "sum"}


@given(
    hnp.arrays(np.float32, st.integers(1, 60), elements=st.sampled_from([0, 0.5, 1, -3])),
    st.integers(0, 70),
    st.randoms(),
)
def test_top_is_the_sorted_list_with_ties_by_id(scores, count, random):
    ids = np.array(sorted(random.sample(range(1000), len(scores))))
    shuffled = np.array(random.sample(range(len(ids)), len(ids)))
    ids, scores = ids[shuffled], scores[shuffled]
    expected = sorted(range(len(ids)), key=lambda i: (-scores[i], ids[i]))[:count]
    assert policies.top(scores, ids, count).tolist() == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_names_its_example(bad):
    with pytest.raises(RunError, match="score of example 'key_7' is not finite"):
        policies.check_finite(np.array([1.0, bad, 2.0]), np.array([3, 7, 9]), KEYS)


def drawn(seed, ids, pool):
    """The scores by which random chooses, in the order of ids."""
    nobody = Labelled(np.zeros(0, np.int64), ())
    chosen = policies.build("random").select(Scored(ids, str, None, seed, pool, nobody), len(ids))
    assert (np.diff(chosen.scores) <= 0).all()
    return chosen.scores[np.argsort(chosen.positions)]


def test_random_walks_down_one_order():
    everything = drawn(5, np.arange(100), 100)
    rest = np.array([4, 50, 99])
    assert drawn(5, rest, 100).tolist() == everything[rest].tolist()
    assert drawn(6, rest, 100).tolist() != everything[rest].tolist()


def test_random_favours_no_example():
    counts = np.zeros(20)
    for seed in range(2000):
        counts[policies.top(drawn(seed, np.arange(20), 20), np.arange(20), 4)] += 1
    # 400 expected each, sd 18: five sd leaves one false alarm in 80,000 runs.
    assert np.abs(counts - 400).max() < 90


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("entrpy", {}, "did you mean 'entropy'"),
        ("entropy", {"agregation": "sum"}, "did you mean 'aggregation'"),
        ("entropy", {"aggregation": "median"}, "known: mean, sum"),
        ("random", {"seed": 3}, "option of policy random"),
    ],
)
def test_bad_policies_are_named(name, options, message):
    with pytest.raises(InputError, match=message):
        policies.build(name, options)


@pytest.fixture(scope="module")
def scored(fresh):
    digits = datasets.load({"name": "digits"})
    model = networks.build("scored", {"name": "cifar_resnet8", "width": 4}, digits)
    return digits, model, fresh(model, 1)


def test_scores_are_those_of_each_example_alone(scored):
    digits, model, variables = scored
    policy = policies.build("entropy", {})
    ids = np.array([900, 3, 77, 1436, 0])
    images = np.stack([digits.pool[i]["image"] for i in ids])
    (logits, _), _ = networks.forward(model, variables, jnp.asarray(images))
    for batch in (2, 5, 64):
        surrogate = builders.network(model, variables, digits)
        scores = builders.scores(surrogate, policy, digits, ids, batch)
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, oracles.entropy(logits), rtol=1e-4)


def test_a_scorer_is_traced_once_for_all_pools(scored):
    digits, model, variables = scored
    surrogate, scorer = builders.network(model, variables, digits), Scorer()
    mesh.traces.clear()
    for size in (10, 33, 100):
        ids, policy = np.arange(size), policies.build("entropy", {})
        scores = builders.scores(surrogate, policy, digits, ids, 16, scorer)
        assert scores.shape == (size,)
        assert np.isfinite(scores).all()
    assert mesh.traces["score scored"] == 1


def test_nothing_to_score(scored):
    digits, model, variables = scored
    nobody = np.zeros(0, np.int64)
    policy = policies.build("entropy", {})
    surrogate = builders.network(model, variables, digits)
    assert builders.scores(surrogate, policy, digits, nobody, 16).shape == (0,)
