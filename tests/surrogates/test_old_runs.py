"""Runs of version 0.1 (16182bb) are past models: they load, and choose what they chose then.

golden/runs_0_1.zip holds two finished runs of that version's small study, one with the module of
learning loss; golden/<policy>.jsonl what its command chose by them from the digits, 20 each.
"""

import json
import zipfile
from pathlib import Path

import pytest

import salx
from salx import records

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with zipfile.ZipFile(GOLDEN / "runs_0_1.zip") as archive:
        archive.extractall(folder)
    return folder / "deployments"


@pytest.mark.parametrize(
    ("policy", "run"),
    [
        ("entropy", "a.on.random.s0.c00"),
        ("core_set", "a.on.random.s0.c00"),
        ("learning_loss", "a.on.random.s0.c00.with.learning_loss"),
    ],
)
def test_an_old_run_chooses_what_it_chose(runs, policy, run):
    header, *picks = map(json.loads, (GOLDEN / f"{policy}.jsonl").read_text().splitlines())
    selection = salx.select("digits", runs / run, policy, budget=20)
    assert selection.keys == [pick["key"] for pick in picks]
    for row, pick in zip(selection.rows(), picks, strict=True):
        first = pick["score"] is None  # Core-Set's, where nothing is labelled
        assert row["score"] == (None if first else pytest.approx(pick["score"], rel=1e-4))
    for field in ("checkpoint", "data", "options", "policy", "surrogate", "labelled"):
        assert json.loads(json.dumps(selection.header[field])) == header[field]


def test_an_old_record_is_what_is_labelled():
    record = records.read(GOLDEN / "entropy.jsonl")
    selection = salx.select("digits", None, "random", budget=10, labelled=GOLDEN / "entropy.jsonl")
    assert not set(selection.ids.tolist()) & set(record.ids.tolist())
