"""A whole study of a segmentation network, on the synthetic scenes."""

import numpy as np
import pytest

import salx
from salx import records
from salx.infra import mesh, sealed
from salx.study.config import base

POOL, VAL = 24, 6


def config():
    """Two cycles of a network of two convolutions; DeepLabv3+ would take a minute to compile."""
    wanted = base()
    wanted.dataset = {"name": "scenes", "pool": POOL, "val": VAL, "height": 32, "width": 64}
    wanted.models = {"m": {"name": "tests.pixels:Net"}}
    wanted.surrogates = wanted.deployments = ("m",)
    wanted.update({"seeds": 1, "cycles": 2, "budget": 0.5})
    wanted.train.update(batch=4, steps=3, learning_rate=0.01, log_every=1)
    wanted.score.batch = wanted.evaluate.batch = 6
    wanted.telemetry.progress = False
    return wanted


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study, done and reported, and how often each of its steps was traced."""
    mesh.traces.clear()
    made = salx.Study(config(), tmp_path_factory.mktemp("scenes") / "w")
    made.run()
    traces = dict(mesh.traces)
    made.report()
    return made, traces


def chain(study, selection):
    paths = [study.workdir / f"selections/{selection}.s0/cycle_{c:02d}.jsonl" for c in range(2)]
    return [records.read(path) for path in paths]


def results(study):
    paths = study.workdir.glob("deployments/*/result.json")
    return {path.parent.name: sealed.read_json(path) for path in paths}


def test_every_step_is_compiled_once(study):
    assert study[1] == {f"{step} m": 1 for step in ("init", "train", "score", "evaluate")}


@pytest.mark.parametrize("selection", ["random", "m.entropy"])
def test_half_of_the_pool_is_chosen_in_two_cycles(study, selection):
    cycles = chain(study[0], selection)
    assert [len(record.ids) for record in cycles] == [6, 6]
    ids = np.concatenate([record.ids for record in cycles])
    assert len(set(ids.tolist())) == 12
    assert 0 <= ids.min() <= ids.max() < POOL


def test_the_picks_have_the_highest_entropy_of_what_was_left(study):
    first, second = chain(study[0], "m.entropy")
    path = study[0].workdir / "selections/m.entropy.s0/scores_01.npz"
    with np.load(path, allow_pickle=False) as arrays:
        scores = dict(zip(arrays["ids"].tolist(), arrays["scores"].tolist(), strict=True))
    assert set(scores) == set(range(POOL)) - set(first.ids.tolist())
    assert min(scores.values()) > 0
    assert sorted(scores, key=lambda id_: (-scores[id_], id_))[:6] == second.ids.tolist()


def test_mean_iou_is_measured_of_the_classes_that_are_there(study):
    every = results(study[0])
    assert set(every) == {
        f"m.on.{name}" for name in ("random.s0.c00", "random.s0.c01", "m.entropy.s0.c01")
    }
    for result in every.values():
        ious = [value for value in result["classes"] if value is not None]
        assert result["val"] == VAL
        assert len(result["classes"]) == 12
        assert result["value"] == pytest.approx(np.mean(ious))
        assert 0 <= result["value"] <= 1


def test_the_report_has_every_class_and_the_measure(study):
    page = (study[0].workdir / "report/index.html").read_text(encoding="utf-8")
    assert "mean IoU" in page
    assert all(name in page for name in study[0].dataset.classes)


def test_a_second_run_does_nothing(study):
    workdir = study[0].workdir

    def written():
        paths = [*workdir.glob("selections/*/*"), *workdir.glob("deployments/*/*.json*")]
        return {path: path.stat().st_mtime_ns for path in paths if path.name != ".lock"}

    before = written()
    mesh.traces.clear()
    salx.Study(config(), workdir).run()
    assert not mesh.traces
    assert written() == before
