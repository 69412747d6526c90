"""All policies beside each other in one small study, and the command on its surrogates."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salx import policies, records
from salx.data import datasets
from salx.infra import checkpoint, sealed
from salx.models import model as networks
from salx.report.load import results, selections
from salx.scoring import stages
from salx.scoring.stages import NotLabelled, Round
from salx.selection import sheet
from salx.selection.exports import Pick
from salx.selection.sheet import Sheet
from salx.study import config as configs
from salx.study.study import Study
from tests import builders, pixels
from tests.builders import content
from tests.oracles import entropy, nearest_squared

POLICIES = ("entropy", "learning_loss", "core_set", "true_loss")
CYCLES = 3


@pytest.fixture(scope="module")
def work(salx, tmp_path_factory):
    """The work folder of a study of one surrogate under every policy, and what it printed."""
    workdir = tmp_path_factory.mktemp("policies") / "w"
    done = salx(
        workdir, f"--config.policies={POLICIES}", "--config.seeds=1",
        "--config.surrogates=('a',)", "--config.deployments=('a','b')",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return workdir, done.stdout


def chain(workdir, policy):
    folder = workdir / "selections" / ("random.s0" if policy == "random" else f"a.{policy}.s0")
    return [records.record_path(folder, cycle) for cycle in range(CYCLES)]


@pytest.mark.parametrize("policy", ["random", *POLICIES])
def test_budgets_are_met_with_new_ids_of_the_pool(work, policy):
    keys = datasets.load({"name": "digits"}).pool.keys
    kept = [records.read(path) for path in chain(work[0], policy)]
    ids = np.concatenate([record.ids for record in kept])
    wanted = sealed.read_json(work[0] / "study.json")["budgets"]
    assert np.cumsum([len(record.ids) for record in kept]).tolist() == wanted
    assert len(set(ids.tolist())) == len(ids)
    assert 0 <= ids.min() <= ids.max() < len(keys)
    for path in chain(work[0], policy):
        for line in map(json.loads, path.read_text().splitlines()[1:]):
            assert line["key"] == keys[line["id"]]
    folder = chain(work[0], policy)[0].parent
    for path in folder.glob("scores_*.npz"):
        before = [r.ids for r in kept[: int(path.stem[-2:])]]
        with np.load(path) as arrays:
            rest = np.setdiff1d(np.arange(len(keys)), np.concatenate(before))
            assert arrays["ids"].tolist() == rest.tolist()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_command_picks_what_the_cycle_picked(work, choose, tmp_path, policy):
    *before, last = chain(work[0], policy)
    made = records.read(last).header
    code, _, err = choose(
        f"--surrogate={work[0]}/deployments/{made['checkpoint']['run']}", "--pool=digits",
        f"--policy={policy}", f"--budget={made['picked']}", f"--out={tmp_path}/p.jsonl",
        "--batch=256", *(f"--labelled={path}" for path in before),
    )  # fmt: skip
    assert code == 0, err
    ours = records.read(tmp_path / "p.jsonl")
    assert ours.ids.tolist() == records.read(last).ids.tolist()
    for field in ("checkpoint", "data", "labelled", "options", "policy"):
        assert ours.header[field] == made[field]


def test_core_set_is_plain_k_center_over_the_surrogates_features(work):
    digits = datasets.load({"name": "digits"})
    model = networks.build("a", {"name": "cifar_resnet8", "width": 4}, digits)
    kept = [records.read(path) for path in chain(work[0], "core_set")]
    for cycle in (1, 2):
        made = kept[cycle].header["checkpoint"]
        variables = checkpoint.finished(work[0] / "deployments" / made["run"])[2]
        out = networks.forward(model, variables, digits.pool.images)[0][1]
        rows = np.asarray(out["features"], np.float64)
        distance = nearest_squared(rows, rows[records.labelled(kept[:cycle])])
        for pick in kept[cycle].ids:
            assert distance[pick] == pytest.approx(distance.max(), rel=1e-3)
            distance = np.minimum(distance, nearest_squared(rows, rows[[pick]]))


def test_the_report_shows_the_policies_beside_each_other(work):
    page = (work[0] / "report/index.html").read_text()
    shown = results.read_study(work[0])
    for policy in POLICIES:
        assert shown.title(policy) in work[1]
        assert f'id="gain_{policy}"' in page


def test_every_cycle_tells_and_shows_its_picks(work):
    digits = datasets.load({"name": "digits"})
    for policy in ("random", *POLICIES):
        kept = [records.read(path) for path in chain(work[0], policy)]
        folder = chain(work[0], policy)[0].parent
        for cycle in range(0 if policy == "random" else 1, CYCLES):
            told = sealed.read_json(folder / f"cycle_{cycle:02d}.json")
            ids = kept[cycle].ids
            labels = digits.pool.labels[ids]
            assert told["picked"]["classes"] == np.bincount(labels, minlength=10).tolist()
            assert told["picked"]["looked_at"] == len(ids)
            before = sum(len(record.ids) for record in kept[:cycle])
            assert told["images"] == (0 if policy == "random" else 1437 - before)
            assert (folder / f"strip_{cycle:02d}.png").read_bytes().startswith(selections.PNG)
            scored = policy in ("entropy", "learning_loss", "true_loss")
            assert (folder / f"scores_{cycle:02d}.npz").exists() == scored
        assert not list(folder.glob("pass_*"))


def chosen(policy, score, source, have, count):
    candidates = stages.filtered(len(source), [NotLabelled(have)])
    return stages.choose(Round(policy, source, have), candidates, count, score)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 5), st.integers(1, 5))
def test_near_duplicates_of_what_is_labelled_come_last(seed, labelled, far):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(labelled, 4))
    near = centres[rng.integers(labelled, size=6)] + 1e-4 * rng.normal(size=(6, 4))
    others = 100 * (1 + np.arange(far))[:, None] + rng.normal(size=(far, 4))
    rows = np.concatenate([centres, near, others]).astype(np.float32)
    order = rng.permutation(len(rows))
    rows, place = rows[order], np.argsort(order)
    have = np.sort(place[:labelled])
    rest = np.setdiff1d(np.arange(len(rows)), have)
    source = pixels.Squares(len(rows), 0)
    policy = policies.build("core_set", {})
    choice = chosen(policy, lambda ids: rows[ids], source, have, len(rest))
    assert set(choice.ids[:far].tolist()) == set(place[labelled + 6 :].tolist())
    assert sorted(choice.ids.tolist()) == rest.tolist()
    assert (np.diff(choice.scores) <= 0).all()


@pytest.fixture(scope="module")
def squares(fresh):
    dataset, model = pixels.dataset(), pixels.model()
    return dataset, model, fresh(model, 0)


def test_core_set_of_pixels_averages_the_low_level_features(squares):
    dataset, model, variables = squares
    policy, have = policies.build("core_set", {}), np.array([3, 8])
    rest = np.setdiff1d(np.arange(40), have)

    def score(ids):
        surrogate = builders.network(model, variables, dataset)
        return builders.scores(surrogate, policy, dataset, ids, 8)

    choice = chosen(policy, score, dataset.pool, have, 10)
    out = networks.forward(model, variables, dataset.pool.images)[0][1]
    rows = np.asarray(out["low_level"], np.float64).mean((1, 2))
    np.testing.assert_allclose(score(rest), rows[rest], rtol=1e-4, atol=1e-6)
    distance = nearest_squared(rows, rows[have])
    for pick in choice.ids:
        assert distance[pick] == pytest.approx(distance.max(), rel=1e-3)
        distance = np.minimum(distance, nearest_squared(rows, rows[[pick]]))


def test_a_sheet_of_pixels_has_the_maps_of_the_scores(squares):
    dataset, model, variables = squares
    surrogate = builders.network(model, variables, dataset)
    policy, ids = policies.build("entropy", {}), [7, 0, 31]
    maps = sheet.score_maps(Sheet(policy, surrogate, dataset, []), ids)
    logits = networks.forward(model, variables, dataset.pool.images[ids])[0][0]
    np.testing.assert_allclose(maps, entropy(logits), rtol=1e-4, atol=1e-5)
    picks = [Pick(i, f"k{i}", 1.0, rank, None, "dark", 0.5) for rank, i in enumerate(ids)]
    shown = Sheet(policy, surrogate, dataset, picks)
    assert sheet.draw(shown, ".html").count(b"<img") == 6
    assert sheet.draw(shown, ".png").startswith(selections.PNG)
    shown = Sheet(policies.build("core_set", {}), surrogate, dataset, picks)
    assert sheet.draw(shown, ".html").count(b"<img") == 3


def test_a_choice_that_is_made_again_is_the_same(work, tmp_path):
    """From a cycle on everything is redone, its description with it."""
    again = tmp_path / "w"
    shutil.copytree(work[0], again)
    for name in ("cycle_02.jsonl", "cycle_02.json", "strip_02.png"):
        (again / "selections/a.core_set.s0" / name).unlink()
    config = sealed.read_json(again / "study.json")["config"]
    Study(builders.quiet(configs.resolve(config)), again).run()
    strips = [w / "selections/a.core_set.s0/strip_02.png" for w in (work[0], again)]
    assert strips[0].read_bytes() == strips[1].read_bytes()
    assert content(again) == content(work[0])
