"""A study whose surrogates are ensembles: of models, of weight seeds, and of generations."""

import json

import numpy as np
import pytest

from salx.infra import sealed
from salx.infra.errors import InputError
from salx.study import config as configs
from salx.study import grid
from salx.study.grid import GridSpec, Selection
from tests.builders import ROOT, module_of

FILE = ROOT / "tests" / "study" / "ensembles_study.py"


@pytest.fixture(scope="module")
def work(salx, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("ensembles") / "w"
    done = salx(workdir, config=FILE)
    assert done.returncode == 0, done.stderr
    return workdir


def config(**ensembles):
    written = module_of(FILE).get_config()
    for label, spec in ensembles.items():
        written.ensembles[label] = spec
    return written


def test_members_are_deployments_of_what_the_ensemble_chose_so_far():
    spec = GridSpec.of(configs.resolve(config()), ())

    def names(label, cycle):
        return [run.name for run in grid.surrogates(spec, Selection(label, "votes", 0), cycle)]

    assert names("pair", 1) == ["a.on.random.s0.c00", "b.on.random.s0.c00"]
    assert names("pair", 2) == ["a.on.pair.votes.s0.c01", "b.on.pair.votes.s0.c01"]
    assert names("twins", 2) == ["a.on.twins.votes.s0.c01", "a.w1.on.twins.votes.s0.c01"]
    assert names("line", 1) == ["a.on.random.s0.c00"]  # there is no generation before
    assert names("line", 2) == ["a.on.line.votes.s0.c01", "a.on.random.s0.c00"]
    trainings = [run.name for run in grid.grid(spec).trainings]
    assert len(set(trainings)) == len(trainings)


def test_records_name_every_member_with_its_digest(work):
    for label, members in (("pair", 2), ("twins", 2), ("line", 2)):
        path = work / f"selections/{label}.votes.s0/cycle_02.jsonl"
        header = json.loads(path.read_text().splitlines()[0])
        marks = header["checkpoint"]["members"]
        assert len({mark["digest"] for mark in marks}) == members
        for mark in marks:
            result = sealed.read_json(work / "deployments" / mark["run"] / "result.json")
            assert result["checkpoint"] == {"step": mark["step"], "digest": mark["digest"]}


def test_weight_seeds_begin_with_other_weights_and_see_the_same_batches(work):
    runs = [work / f"deployments/{name}.on.random.s0.c00" for name in ("a", "a.w1")]
    first, second = (sealed.read_json(run / "config.json") for run in runs)
    assert "weights" not in first
    assert second["weights"] == 1
    assert first["labelled"] == second["labelled"]
    losses = [json.loads((run / "metrics.jsonl").read_text().splitlines()[0]) for run in runs]
    assert losses[0]["loss"] != losses[1]["loss"]


def test_scores_are_the_members_disagreement(work):
    """Votes of two: 0 where they agree, a half where not, and a little of their variance."""
    with np.load(work / "selections/pair.votes.s0/scores_01.npz") as arrays:
        scores = arrays["scores"]
    assert ((scores < 0.1) | (abs(scores - 0.5) < 0.1)).all()
    assert len(np.unique(scores)) > 100


def test_the_study_is_finished_and_its_report_shows_the_ensembles(salx, work):
    again = salx(work, config=FILE)
    assert "this study is finished; nothing to do" in again.stdout
    page = (work / "report/index.html").read_text()
    for label in ("pair", "twins", "line"):
        assert label in page


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"members": ("a", "c")}, "unknown model in config.ensembles.x 'c'"),
        ({"members": ("a",)}, "must have two members or more, each once"),
        ({"members": ("a", "a")}, "names 'a' twice"),
        ({"model": "a", "weight_seeds": 1}, "weight_seeds=1 must be a whole number from 2 to"),
        ({"model": "a", "seeds": 2}, "must be {'members': labels}"),
    ],
)
def test_what_is_no_ensemble_is_refused(spec, message):
    with pytest.raises(InputError, match=message):
        configs.resolve(config(x=spec))
