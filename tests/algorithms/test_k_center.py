import itertools
import json

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salx.algorithms.k_center import k_center
from salx.algorithms.nearest import BLOCK, nearest
from salx.infra.errors import RunError
from tests import compilation_cache, prepared
from tests.oracles import greedy_k_center, nearest_squared

WIDTH = 8
# Of a squared distance by differences in float32, on both sides of a comparison.
ERROR = (WIDTH + 4) * 2.0**-23


def check_greedy(features, centres, picks, radii):
    """Every pick was the farthest in float64, or within float32's error of it."""
    distance = nearest_squared(features, centres)
    for pick, radius in zip(picks, radii, strict=True):
        assert distance[pick] >= 0, "picked twice"
        assert distance[pick] >= distance.max() * (1 - ERROR)
        assert radius == pytest.approx(np.sqrt(distance[pick]), rel=ERROR)
        distance = np.minimum(distance, nearest_squared(features, features[[pick]]))
        distance[pick] = -1


def clouds(rng, kind, n, labelled):
    features, centres = rng.normal(size=(n, WIDTH)), rng.normal(size=(labelled, WIDTH))
    if kind == "offset":
        features, centres = features + 1000, centres + 1000
    elif kind == "heavy tails":
        features, centres = (np.sign(x) * np.abs(x) ** 9 for x in (features, centres))
    elif kind == "near duplicates" and labelled:
        features = 10 * centres[rng.integers(labelled, size=n)] + 1e-3 * features
        centres = 10 * centres
    elif kind == "duplicates":
        features = features[rng.integers(n, size=n)]
    return features.astype(np.float32), centres.astype(np.float32)


def lattices(rng, kind, n, labelled):
    """Whole numbers: float32's distances are exact, so ties are ties."""
    side = {"all equal": 1, "corners": 2, "lattice": 4, "offset lattice": 3}[kind]
    features = rng.integers(side, size=(n, WIDTH)) + 1000 * (kind == "offset lattice")
    centres = rng.integers(side, size=(labelled, WIDTH)) + 1000 * (kind == "offset lattice")
    return features.astype(np.float32), centres.astype(np.float32)


sizes = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(1, 60),
    "labelled": st.integers(0, 30),
    "share": st.floats(0, 1),
    "candidates": st.sampled_from([4, 32, 128]),
}
CLOUDS = ["normal", "offset", "heavy tails", "near duplicates", "duplicates"]


@settings(max_examples=1500, deadline=None)
@given(kind=st.sampled_from(CLOUDS), **sizes)
def test_picks_are_the_farthest(kind, seed, n, labelled, share, candidates):
    features, centres = clouds(np.random.default_rng(seed), kind, n, labelled)
    count = round(share * n)
    picks, radii = k_center(features, centres, count, candidates=candidates)
    assert picks.dtype == np.int64
    assert radii.dtype == np.float32
    assert len(picks) == count
    check_greedy(features, centres, picks, radii)


@settings(max_examples=1000, deadline=None)
@given(kind=st.sampled_from(["all equal", "corners", "lattice", "offset lattice"]), **sizes)
def test_ties_go_to_the_lowest_position(kind, seed, n, labelled, share, candidates):
    features, centres = lattices(np.random.default_rng(seed), kind, n, labelled)
    count = round(share * n)
    picks, radii = k_center(features, centres, count, candidates=candidates)
    expected, distances = greedy_k_center(features, centres, count)
    assert picks.tolist() == expected
    np.testing.assert_allclose(radii, distances, rtol=1e-6)


@pytest.mark.parametrize("labelled", [0, 1, 700])
def test_many_rounds_and_blocks_of_centres(labelled):
    rng = np.random.default_rng(labelled)
    features = rng.normal(size=(3000, WIDTH)).astype(np.float32)
    centres = rng.normal(size=(labelled, WIDTH)).astype(np.float32)
    expected, distances = greedy_k_center(features, centres, 1500)
    for given_features in (features, jax.numpy.asarray(features)):
        picks, radii = k_center(given_features, centres, 1500, candidates=128)
        assert picks.tolist() == expected
        np.testing.assert_allclose(radii, distances, rtol=ERROR)


def test_the_whole_pool_and_nothing():
    features = np.random.default_rng(0).normal(size=(50, WIDTH)).astype(np.float32)
    none = np.zeros((0, WIDTH), np.float32)
    picks, radii = k_center(features, none, 50)
    assert sorted(picks) == list(range(50))
    assert picks[0] == 0
    assert np.isinf(radii[0])
    assert (np.diff(radii[1:]) <= 0).all()
    assert [len(x) for x in k_center(features, none, 0)] == [0, 0]
    with pytest.raises(ValueError, match="51 picks of 50 rows"):
        k_center(features, none, 51)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(1, 3))
def test_the_radius_is_within_twice_the_best(seed, labelled, count):
    features, centres = clouds(np.random.default_rng(seed), "normal", 9, labelled)
    picks, _ = k_center(features, centres, count, candidates=4)

    def radius(chosen):
        return (
            nearest_squared(features, np.concatenate([centres, features[list(chosen)]])).max()
            ** 0.5
        )

    best = min(map(radius, itertools.combinations(range(9), count)))
    assert radius(picks) <= 2 * best * (1 + ERROR)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1e-4, 1e-2]), st.floats(-100, 100))
def test_nearest_among_centres_that_products_cannot_tell_apart(seed, spread, middle):
    rng = np.random.default_rng(seed)
    centres = (10 + spread * rng.normal(size=(2 * BLOCK, WIDTH))).astype(np.float32)
    rows = (10 + spread * rng.normal(size=(16, WIDTH))).astype(np.float32)
    first, last = np.sort(rng.integers(2 * BLOCK + 1, size=2))
    known = nearest_squared(rows, centres[:first])
    value = jax.jit(nearest)(
        rows, known.astype(np.float32), centres, first, last, np.full(WIDTH, middle, np.float32)
    )
    np.testing.assert_allclose(value, nearest_squared(rows, centres[:last]), rtol=ERROR)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e19])
def test_what_is_not_finite_is_named(bad):
    features = np.ones((20, WIDTH), np.float32)
    centres = np.ones((4, WIDTH), np.float32)
    names = {"name": "pool_{}".format, "centre_name": "labelled_{}".format}
    broken = features.copy()
    broken[[7, 12], 3] = bad
    with pytest.raises(RunError, match="features of example 'pool_7' are not finite"):
        k_center(broken, centres, 2, **names)
    with pytest.raises(RunError, match="features of example 'labelled_7' are not finite"):
        k_center(features, broken, 2, **names)


def test_any_number_of_devices_gives_the_same_picks(compiled):
    answers = []
    for devices in (1, 2, 4, 8):
        env = {**compiled, "XLA_FLAGS": compilation_cache.devices(devices)}
        process = prepared.run("tests.algorithms.picks", [devices], env)
        assert process.returncode == 0, process.stderr
        answers.append(json.loads(process.stdout))
    for answer in answers[1:]:
        for (picks, radii), (one_picks, one_radii) in zip(answer, answers[0], strict=True):
            assert picks == one_picks
            np.testing.assert_allclose(radii, one_radii, rtol=ERROR)
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(2500, 8)).astype(np.float32)
    assert answers[0][2][0] == greedy_k_center(normal[40:], normal[:40], 300)[0]
