"""The library as a notebook uses it: load, images, select, Study."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import salx
from salx import records
from salx.infra import sealed
from salx.models import weight_files
from salx.study import config as configs
from tests import oracles
from tests.builders import ROOT, SMALL, module_of, quiet
from tests.outside.installed import install
from tests.outside.policies import Few
from tests.selection.pictures import SIDE

SIZE = (SIDE, SIDE)


@pytest.fixture(scope="module")
def past(networks):
    return salx.load(networks[0], size=SIZE)


def test_a_selection_is_plain_values_and_files(past, pictures, tmp_path):
    pool = salx.images(pictures)
    assert len(pool) == 26
    selection = salx.select(pool, past, "entropy", budget=5, batch=8)
    rows = selection.rows()
    assert [row["key"] for row in rows] == selection.keys
    assert [row["rank"] for row in rows] == list(range(5))
    json.dumps(rows)
    np.testing.assert_allclose([row["score"] for row in rows], selection.scores, rtol=1e-6)
    assert (np.diff(selection.scores) <= 0).all()
    assert selection.ids.dtype == np.int64
    record = records.read(selection.save(tmp_path / "p.jsonl"))
    assert record.ids.tolist() == selection.ids.tolist()
    read = list(csv.DictReader(selection.to_csv(tmp_path / "p.csv").open(newline="")))
    assert [row["key"] for row in read] == selection.keys
    tasks = json.loads(selection.to_label_studio(tmp_path / "t.json", "https://x/").read_text())
    assert tasks[0]["data"]["image"].startswith("https://x/")
    assert (selection.to_fiftyone(tmp_path / "fo") / "data.json").exists()
    assert "<img" in selection.sheet(tmp_path / "p.html").read_text()
    assert len(list(selection.copy(tmp_path / "copy").iterdir())) == 5


def test_what_is_labelled_may_be_a_selection_a_record_or_several(past, pictures, tmp_path):
    first = salx.select(pictures, past, budget=5)
    record = first.save(tmp_path / "first.jsonl")
    (tmp_path / "more.txt").write_text("00.png\n")
    for labelled in (first, str(record), [record], [first, tmp_path / "more.txt"]):
        second = salx.select(pictures, past, budget=20, labelled=labelled)
        assert not set(second.keys) & set(first.keys)
    with pytest.raises(salx.InputError, match=r"^budget=22: 22 of the 21 images"):
        salx.select(pictures, past, budget=22, labelled=first)


def test_a_function_chooses(pictures):
    def brightness(images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (*SIZE, 3)
        mean = images.mean((1, 2, 3))
        return np.stack([mean, 255 - mean], 1) / 10

    surrogate = salx.load(brightness, size=SIZE, classes=("dark", "bright"))
    pool = salx.images(pictures)
    selection = salx.select(pool, surrogate, budget=26, batch=7)
    images = np.stack([pool.dataset.pool[index]["image"] for index in range(26)])
    expected = oracles.entropy(brightness(images))
    assert selection.ids.tolist() == np.lexsort((np.arange(26), -expected)).tolist()
    np.testing.assert_allclose(selection.scores, np.sort(expected)[::-1], rtol=1e-4)
    assert {row["predicted"] for row in selection.rows()} <= {"dark", "bright"}


def test_features_of_a_function_serve_core_set(pictures):
    def features(images):
        return {"features": images.reshape(len(images), -1)[:, :12]}

    surrogate = salx.load(features, size=SIZE, outputs=("features",))
    selection = salx.select(pictures, surrogate, "core_set", budget=6)
    rows = features(np.stack([salx.images(pictures).dataset.pool[i]["image"] for i in range(26)]))
    picks, _ = oracles.greedy_k_center(np.float64(rows["features"]), np.zeros((0, 12)), 6)
    assert selection.ids.tolist() == picks
    assert selection.rows()[0]["predicted"] is None
    with pytest.raises(salx.InputError, match="policy 'entropy' needs logits, which features has"):
        salx.select(pictures, surrogate, budget=2)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda images: {"logit": images}, "gave 'logit'"),
        (lambda images: {"features": images}, "gave no logits"),
        (lambda images: np.zeros((1, 2)), r"gave logits of shape \(1, 2\) for 64 images"),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_line(pictures, answer, message):
    surrogate = salx.load(answer, size=SIZE, classes=("a", "b"))
    with pytest.raises(salx.RunError, match=message):
        salx.select(pictures, surrogate, budget=2)


def test_surrogates_from_outside(pictures, tmp_path, monkeypatch):
    bright = salx.load("tests.outside.surrogates:Bright", channels=3, side=SIDE)
    selection = salx.select(pictures, bright, budget=4)
    assert selection.header["checkpoint"] == {"function": "brightness"}
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    (tmp_path / "x.bright").write_text("100")
    assert salx.load(tmp_path / "x.bright").middle == 100
    assert "few" in salx.policies.names()


def test_an_ensemble_of_files_is_one_surrogate(networks, pictures, past):
    both = salx.load("+".join(map(str, networks)), size=SIZE)
    assert salx.load(networks, size=SIZE).label == both.label
    selection = salx.select(pictures, both, "tests.outside.policies:Votes", budget=3)
    digests = [each["digest"] for each in selection.header["checkpoint"]["members"]]
    assert digests == [sealed.digest(path.read_bytes()) for path in networks]
    facts = salx.compare([salx.select(pictures, s, budget=3) for s in (past, both)])
    assert 0 <= facts["pairs"][0]["jaccard"] <= 1


def test_fewer_than_asked_say_why(past, pictures):
    selection = salx.select(pictures, past, Few(), budget=10)
    assert (len(selection), selection.reason) == (3, "three are enough")


def test_random_needs_no_surrogate(pictures):
    one, other = (salx.select(pictures, None, "random", budget=5, seed=seed) for seed in (0, 1))
    assert one.keys != other.keys


class Notes(salx.Observer):
    def __init__(self):
        self.calls = []

    def scored(self, run, done, total, seconds):
        self.calls.append((run, done, total))

    def training_logged(self, run, step, metrics):
        self.calls.append((run, step, metrics["loss"]))

    def training_finished(self, run, result):
        self.calls.append((run, "finished", result["value"]))


def test_an_observer_hears_of_a_selection(past, pictures):
    notes = Notes()
    salx.select(pictures, past, budget=2, batch=10, observer=notes)
    assert notes.calls == [("net0", 10, 26), ("net0", 20, 26), ("net0", 26, 26)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": "entrpy"}, "did you mean 'entropy'"),
        ({"budget": "x%"}, "^budget=x%: neither a number nor a share"),
        ({"labelled": "gone.txt"}, "^labelled=gone.txt: cannot be read"),
        ({"pool": "nowhere"}, "^pool=nowhere: no such folder, list or data set"),
        ({"surrogate": None}, "^surrogate is required by policy 'entropy'"),
        ({"batch": 0}, "^batch=0 must be a whole number from 1 to"),
        ({"colour": 1}, "settings: .*colour"),
    ],
)
def test_errors_name_the_argument(past, pictures, change, message):
    arguments = {"pool": pictures, "surrogate": past, "budget": 2, **change}
    with pytest.raises(salx.InputError, match=message):
        salx.select(**arguments)


def test_a_study_runs_and_is_shown(tmp_path):
    config = replace(
        quiet(configs.resolve(module_of(SMALL).get_config())),
        seeds=1,
        cycles=2,
        budget=0.04,
        surrogates=("a",),
        deployments=("a",),
    )
    notes = Notes()
    study = salx.Study(config, tmp_path / "w", observer=notes)
    assert "trainings   3, 3 to do" in study.plan()
    study.run()
    assert notes.calls[-1][1] == "finished"
    assert "trainings   3, 0 to do" in study.plan()
    assert "entropy" in str(study.table(80))
    assert study.report().read_text().startswith("<!DOCTYPE html>")


def test_a_config_may_be_a_config_dict(tmp_path):
    study = salx.Study(module_of(SMALL).get_config(), tmp_path)
    assert study.config.models["a"] == {"name": "cifar_resnet8", "width": 4}


NOTEBOOK = """
import sys
import salx

before = set(sys.modules)
heavy = {"jax", "flax", "grain", "cv2", "numpy", "tensorflow", "torch", "matplotlib", "absl"}
assert not heavy & before, heavy & before
assert "salx.library" not in before
dir(salx), salx.policies, salx.__version__
import jax
from jax._src import xla_bridge
import salx.library
assert not xla_bridge._backends, "a device was asked for"
assert not {"tensorflow", "torch", "matplotlib", "onnxruntime"} & set(sys.modules)
from absl import flags
assert not flags.FLAGS.is_parsed()
surrogate = salx.load(sys.argv[1], size=(32, 32))
selection = salx.select(sys.argv[2], surrogate, "entropy", budget=4, workers=2, threads=1, batch=8)
print(len(selection.keys))
assert not {"tensorflow", "torch"} & set(sys.modules)
"""


def test_in_a_notebook_with_reader_processes(compiled, networks, pictures, tmp_path):
    """Nothing happens at import time; and absl's flags need not be parsed."""
    script = tmp_path / "notebook.py"
    script.write_text(f"if __name__ == '__main__':\n    exec({NOTEBOOK!r})\n")
    command = [sys.executable, str(script), str(networks[0]), str(pictures)]
    done = subprocess.run(command, env=compiled, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr


def test_what_importing_salx_loads():
    """Errors, the observer and the version, with what these need; nothing of other packages."""
    code = "import sys, salx; print(sorted(m for m in sys.modules if m.split('.')[0] == 'salx'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    infra = ("errors", "limits", "numbers", "observer", "paths", "sealed", "storage", "version")
    wanted = ["salx", "salx.infra", *(f"salx.infra.{name}" for name in infra)]
    assert done.stdout.strip() == str(wanted), done.stderr


def test_weights_that_are_not_finite_are_refused(networks, tmp_path):
    arrays = weight_files.read(networks[0])
    arrays["bn1.bias"] = np.full_like(arrays["bn1.bias"], np.nan)
    weight_files.write(tmp_path / "bad.npz", arrays)
    with pytest.raises(salx.InputError, match="bias is not finite"):
        salx.load(tmp_path / "bad.npz", size=SIZE)
