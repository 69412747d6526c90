"""What the engine gives a policy, on test policies that touch no file of salx."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from salx import policies, tasks
from salx.data import datasets
from salx.infra import mesh
from salx.infra.errors import InputError, RunError
from salx.models import model as networks
from salx.policies import Outputs, only_select
from salx.scoring import stages
from salx.scoring.engine import Question, Reading, Scorer
from salx.scoring.stages import Group, NotLabelled, Round
from salx.surrogates.ensemble import Ensemble
from salx.surrogates.network import Network, noisy
from salx.surrogates.passes import Dropout, WeightNoise
from tests import builders, oracles
from tests.outside.models import Masks, TwoLayers
from tests.outside.policies import (
    Disagreement,
    Everything,
    Few,
    Holding,
    ShownMasks,
    Stability,
    Twice,
    Votes,
)

IDS = np.array([900, 3, 77, 1436, 0, 12, 501])


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


def two_layers(digits, seed=0, **options) -> Network:
    module = TwoLayers(len(digits.classes), **options)
    model = networks.Model("two", module, digits.image_shape, digits.mean, digits.std)
    variables = jax.jit(lambda: networks.init(model, jax.random.key(seed)))()
    return builders.network(model, variables, digits)


@pytest.fixture(scope="module")
def past(digits):
    return two_layers(digits)


def score(surrogate, policy, digits, ids=IDS, batch=7, seed=0):
    return Scorer().score(Question(surrogate, policy, seed), digits, ids, Reading(batch))


def logits_of(surrogate, digits, ids, **options):
    arrays = {name: surrogate.variables[name] for name in ("params", "batch_stats")}
    images = digits.pool.images[ids]
    return np.asarray(networks.forward(surrogate.model, arrays, images, **options)[0][0])


def chosen(policy, surrogate, digits, count=9, labelled=None, seed=0, **more):
    labelled = np.arange(40) if labelled is None else labelled
    turn = Round(policy, digits.pool, labelled, seed, **more)
    candidates = stages.filtered(len(digits.pool), [NotLabelled(labelled)])
    return stages.choose(
        turn, candidates, count, lambda ids: score(surrogate, policy, digits, ids, 64)
    )


# Seed, classifier, labels, rows of two fields.


def test_rows_classifier_labels_and_seed_are_those_of_the_surrogate_and_the_round(digits, past):
    """Against numpy, which works everything out from the network's weights."""
    policy, labelled = Everything(), np.arange(40)
    choice = chosen(
        policy, past, digits, seed=3,
        classifier=past.classifier, labels=lambda ids: digits.pool.labels[ids],
    )  # fmt: skip
    params = jax.tree.map(np.float64, past.variables["params"])
    everyone = np.arange(len(digits.pool))
    images = digits.pool.images[everyone] / 255
    pixels = ((images - digits.mean) / digits.std).reshape(len(everyone), -1)
    features = np.maximum(pixels @ params["hidden"]["kernel"] + params["hidden"]["bias"], 0)
    logits = features @ params["last"]["kernel"] + params["last"]["bias"]
    p = np.exp(oracles.log_softmax(logits))
    error = np.linalg.norm(p - np.eye(10)[p.argmax(-1)], axis=1)
    classes = digits.pool.labels[labelled]
    means = np.stack([features[:40][classes == c].mean(0) for c in range(10)])
    values = error * np.linalg.norm(features - means[logits.argmax(-1)], axis=1)
    values[:40] = -1
    assert choice.ids.tolist() == np.argsort(-values, kind="stable")[:9].tolist()
    np.testing.assert_allclose(choice.scores, values[choice.ids], rtol=1e-3)
    assert choice.all is None  # its rows are no scores


def test_what_is_labelled_is_scored_only_where_it_is_asked_for(digits, past):
    asked = []

    def scores(ids):
        asked.append(len(ids))
        return score(past, Few(), digits, ids)

    turn = Round(Few(), digits.pool, np.arange(40))
    candidates = stages.filtered(len(digits.pool), [NotLabelled(np.arange(40))])
    stages.choose(turn, candidates, 2, scores)
    assert asked == [len(digits.pool) - 40]


# Passes.


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_dropout_masks_do_not_depend_on_the_batch(digits, past, batch):
    whole = score(past, Disagreement(), digits)
    assert (whole > 0).all()
    np.testing.assert_allclose(score(past, Disagreement(), digits, batch=batch), whole, rtol=1e-5)
    order = np.argsort(IDS)
    moved = score(past, Disagreement(), digits, ids=IDS[order], batch=batch)
    np.testing.assert_allclose(moved, whole[order], rtol=1e-5)


def test_dropout_masks_are_keyed_by_seed_pass_and_example(digits, past):
    """Five passes with the masks that flax's dropout draws from each example's key."""
    passes = []
    for number in range(5):
        key = jax.random.fold_in(jax.random.key(7), number)
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, IDS.astype(np.int32))
        passes.append(np.exp(oracles.log_softmax(logits_of(past, digits, IDS, dropout=keys))))
    expected = np.var(passes, axis=0).sum(-1)
    np.testing.assert_allclose(score(past, Disagreement(), digits, seed=7), expected, rtol=1e-4)
    assert not np.allclose(score(past, Disagreement(), digits, seed=8), expected, rtol=0.01)


def test_masks_are_equal_bit_for_bit(digits):
    """Of a network that shows its masks: ones through dropout, and nothing else."""
    model = networks.Model("masks", Masks(10), digits.image_shape, digits.mean, digits.std)
    surrogate = builders.network(model, {"params": {}, "batch_stats": {}}, digits)
    first = score(surrogate, ShownMasks(), digits, batch=1)
    assert first.shape == (7, 5, 64)
    assert set(np.unique(first).tolist()) == {0.0, 2.0}
    assert len(np.unique(first.reshape(-1, 64), axis=0)) == 35
    for batch in (2, 7, 64):
        assert score(surrogate, ShownMasks(), digits, batch=batch).tolist() == first.tolist()


def test_weight_noise_is_one_perturbed_network_a_pass(digits, past):
    seed, scale = 5, 1e-2
    noise = [
        noisy(past.variables, jax.random.fold_in(jax.random.key(seed), n), scale) for n in range(3)
    ]
    for each in noise:
        before, after = (np.asarray(t["params"]["last"]["kernel"]) for t in (past.variables, each))
        moved = np.linalg.norm(after - before)
        assert moved == pytest.approx(scale * np.linalg.norm(before), rel=1e-5)
        assert np.array_equal(
            each["params"]["last"]["bias"], past.variables["params"]["last"]["bias"]
        )
    passes = []
    for each in noise:
        arrays = {name: each[name] for name in ("params", "batch_stats")}
        logits = networks.forward(past.model, arrays, digits.pool.images[IDS])[0][0]
        passes.append(np.exp(oracles.log_softmax(np.asarray(logits))))
    expected = np.abs(passes - np.mean(passes, 0)).sum((0, 2))
    values = score(past, Stability(scale), digits, seed=seed)
    np.testing.assert_allclose(values, expected, rtol=1e-3)
    # Which other examples are asked about, and in which batches, does not matter.
    few = score(past, Stability(scale), digits, IDS[2:5], 2, seed)
    np.testing.assert_allclose(few, values[2:5], rtol=1e-5)


def test_passes_that_a_surrogate_cannot_run_are_refused(digits):
    assert two_layers(digits).runs(Dropout(2))
    assert two_layers(digits).runs(WeightNoise(2))
    assert not two_layers(digits, dropout=0.0).runs(Dropout(2))
    with pytest.raises(InputError, match="passes=0 must be a whole number from 1 to 10000"):
        Dropout(0)


# Ensembles.


def test_an_ensembles_logits_have_a_leading_axis(digits):
    members = [two_layers(digits, seed) for seed in (1, 2)]
    values = score(Ensemble(tuple(members)), Votes(), digits)
    p = np.exp([oracles.log_softmax(logits_of(each, digits, IDS)) for each in members])
    votes = np.eye(10)[p.argmax(-1)].mean(0)
    expected = 1 - votes.max(-1) + 1e-3 * p.var(0).sum(-1)
    np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_a_policy_of_one_model_is_shown_an_ensembles_mean_probabilities(digits):
    members = [two_layers(digits, seed) for seed in (1, 2)]
    values = score(Ensemble(tuple(members)), policies.build("entropy"), digits)
    p = np.mean([np.exp(oracles.log_softmax(logits_of(each, digits, IDS))) for each in members], 0)
    np.testing.assert_allclose(values, oracles.entropy(np.log(p)), rtol=1e-4)
    twice = score(Ensemble((members[0], members[0])), policies.build("entropy"), digits)
    alone = score(members[0], policies.build("entropy"), digits)
    np.testing.assert_allclose(twice, alone, rtol=1e-5)


def test_members_of_different_classes_are_no_ensemble(digits):
    one = two_layers(digits)
    other = replace(one, classes=tuple("abcdefghij"))
    with pytest.raises(InputError, match="predict different classes"):
        Ensemble((one, other))


# What may be chosen.


def test_fewer_than_asked_need_a_reason(digits, past):
    choice = chosen(Few(), past, digits, count=5)
    assert (len(choice.ids), choice.reason) == (3, "three are enough")
    with pytest.raises(RunError, match="policy twice chose an example twice"):
        chosen(Twice(), past, digits, count=5)


def test_groups_share_the_budget_and_see_what_was_chosen_before(digits, past):
    """Core-Set in two groups: the second keeps away from the picks of the first."""
    policy, labelled = policies.build("core_set"), np.arange(40)

    def halves(ids, count):
        even = np.flatnonzero(ids % 2 == 0)
        odd = np.flatnonzero(ids % 2 == 1)
        return [Group("even", even, count - 4), Group("odd", odd, 4)]

    choice = chosen(policy, past, digits, count=9, allocation=halves)
    assert [id_ % 2 for id_ in choice.ids.tolist()] == [0] * 5 + [1] * 4
    assert [group["chosen"] for group in choice.groups] == [5, 4]
    rows = np.asarray(score(past, policy, digits, np.arange(len(digits.pool)), 64), np.float64)
    distance = oracles.nearest_squared(rows, rows[labelled])
    distance[labelled] = -1
    for parity, picks in ((0, choice.ids[:5]), (1, choice.ids[5:])):
        for pick in picks:
            group = np.arange(len(rows)) % 2 == parity
            assert distance[pick] == pytest.approx(distance[group].max(), rel=1e-3)
            distance = np.minimum(distance, oracles.nearest_squared(rows, rows[[pick]]))


def test_filters_leave_out_and_tell():
    candidates = stages.filtered(10, [NotLabelled(np.array([2, 3]))])
    assert candidates.ids.tolist() == [0, 1, 4, 5, 6, 7, 8, 9]
    assert candidates.filters == (
        {"name": "labelled", "reason": "has a label already", "left_out": 2},
    )


# Options, and what is compiled for them.


def test_policies_hold_policies_and_are_rebuilt_from_their_options(digits, past):
    inner = {"name": "entropy", "options": {"aggregation": "mean"}}
    policy = policies.build("tests.outside.policies:Holding", {"inner": inner})
    assert policy == Holding(policies.build("entropy", {"aggregation": "mean"}))
    assert policy.options == {"inner": inner, "sign": -1.0}
    assert policies.build("holding", policy.options) == policy
    expected = -score(past, policies.build("entropy"), digits)
    np.testing.assert_allclose(score(past, policy, digits), expected)


def test_equal_policies_compile_once_and_what_select_reads_compiles_nothing(digits):
    past, scorer = two_layers(digits, width=5), Scorer()
    mesh.traces.clear()
    for policy in (
        *(policies.build("entropy", {"aggregation": "sum"}), policies.build("entropy")),
        *(policies.build("core_set"), policies.build("core_set", {"distance": "euclidean"})),
    ):
        scorer.score(Question(past, policy), digits, IDS, Reading(7))
    assert mesh.traces["score two"] == 2
    assert only_select(1).metadata["only_select"]


def test_steps_go_with_their_scorer(digits):
    import gc
    import weakref

    past, scorer = two_layers(digits, width=6), Scorer()
    step = weakref.ref(scorer.step(Question(past, policies.build("entropy"))))
    assert step() is not None
    del scorer
    gc.collect()
    assert step() is None


def test_a_score_that_is_no_array_is_refused():
    with pytest.raises(TypeError, match="score gave list, not an array or a dict of arrays"):
        policies.policy.rows_of([1.0])
    out = Outputs(np.zeros(3, np.float32), np.ones((), bool), task=tasks.get("classification"))
    assert policies.policy.rows_of({"a": {"b": out.logits}})["a"]["b"] is out.logits


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tests.outside.policies:Nobody", "cannot be loaded: AttributeError"),
        ("tests.outside.policies:top", "must be a frozen dataclass that is a Policy"),
        ("nowhere:Policy", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_what_is_no_policy_is_one_line(name, message):
    with pytest.raises(InputError, match=message):
        policies.build(name)
