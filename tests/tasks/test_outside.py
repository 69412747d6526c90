"""A task from outside the package: by name, by entry point, and through training and evaluation."""

import pickle
import sys

import jax
import numpy as np
import pytest

from salx import tasks
from salx.data import datasets
from salx.infra.checkpoint import Checkpoints
from salx.infra.errors import InputError
from salx.models.model import build
from salx.tasks.classification import Classification
from salx.training.evaluation import Evaluator
from salx.training.loop import Trainer, Training
from salx.training.recipe import Recipe
from salx.training.step import Trained
from tests.outside.counting import Counting

NAME = "tests.outside.counting:Counting"


def test_a_task_is_had_by_its_reference():
    assert tasks.get("classification") == Classification()
    assert tasks.reference(Classification()) == "classification"
    assert tasks.reference(Counting()) == NAME
    assert tasks.get(NAME) == Counting()
    assert hash(tasks.get(NAME)) == hash(Counting())
    assert Counting() != Classification()
    assert pickle.loads(pickle.dumps(Counting())) == Counting()


def test_what_is_no_task_is_refused():
    with pytest.raises(InputError, match="unknown task 'segmentaton'; did you mean 'segmentation'"):
        tasks.get("segmentaton")
    with pytest.raises(InputError, match=r"is no class that derives from salx\.tasks\.Task"):
        tasks.get("tests.outside.counting:load")


def test_a_package_brings_a_task_and_a_data_set(tmp_path, monkeypatch):
    info = tmp_path / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    points = f"[salx.tasks]\ncounting = {NAME}\n[salx.datasets]\ncounts = {NAME[:-8]}load\n"
    (info / "entry_points.txt").write_text(points)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert tasks.get("counting") == Counting()
    assert tasks.reference(Counting()) == "counting"
    dataset = datasets.load({"name": "counts", "pool": 9, "val": 2})
    assert (len(dataset.pool), dataset.task) == (9, Counting())


def test_it_is_trained_and_measured(tmp_path):
    dataset = datasets.load({"name": "tests.outside.counting:load"})
    model = build("counter", {"name": "cifar_resnet8", "width": 8}, dataset)
    recipe = Recipe(batch=32, steps=120, learning_rate=0.02, momentum=0.9, log_every=40)
    what = Trained(model, recipe, dataset.task)
    with Checkpoints(tmp_path / "checkpoint") as checkpoints:
        training = Training(what, dataset, np.arange(len(dataset.pool)), 0)
        state = Trainer().fit(training, checkpoints)
    result = Evaluator().evaluate(model, jax.device_get(state.variables), dataset, 16)
    plain = np.var(dataset.val.labels)  # what the mean alone would leave
    assert result["val"] == 60
    assert result["loss"] < 0.5 * plain
    assert result["classes"] == [result["value"]]
