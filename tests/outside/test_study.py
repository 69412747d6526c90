"""A study with its report, of parts that all come from outside: by entry point and module:Name."""

import json
import shutil
import sys

import pytest

from salx import records, report
from salx.infra import sealed
from tests import prepared
from tests.builders import ROOT
from tests.outside.installed import install

CONFIG = ROOT / "tests" / "outside" / "small_study.py"


@pytest.fixture(scope="module", params=["", "installed"])
def work(request, compiled, tmp_path_factory):
    """The work folder, and what was printed."""
    folder = tmp_path_factory.mktemp("outside")
    path = f"{ROOT}:{install(folder / 'site')}" if request.param else str(ROOT)
    config = f"{CONFIG}:{request.param}" if request.param else CONFIG
    words = [f"--config={config}", f"--workdir={folder / 'w'}"]
    process = prepared.run("salx.main", words, {**compiled, "PYTHONPATH": path})
    assert process.returncode == 0, process.stderr
    return folder / "w", process.stdout


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_is_trained_measured_and_shown(work):
    workdir, printed = work
    assert "exact counts (%)" in printed
    facts = sealed.read_json(workdir / "study.json")
    assert facts["dataset"]["task"] in ("counting", "tests.outside.counting:Counting")
    assert facts["policies"]["unsure"]["name"] == "disagreement"
    result = sealed.read_json(workdir / "deployments/b.on.a.unsure.s0.c02/result.json")
    assert 0 <= result["value"] <= 1
    page = (workdir / "report/index.html").read_text()
    assert "unsure" in page


def test_the_record_tells_which_code_chose(work):
    header = lines(work[0] / "selections/a.unsure.s0/cycle_01.jsonl")[0]
    assert header["policy"] == "disagreement"
    assert header["options"] == {"passes": 3}
    origin = header["policy_origin"]
    assert origin["module"] == "tests.outside.policies"
    assert origin["digest"].startswith("sha256:") or origin["package"]


def test_a_cycle_of_fewer_picks_is_filled_at_random_and_says_so(work):
    workdir, _ = work
    budgets = sealed.read_json(workdir / "study.json")["budgets"]
    for cycle in (1, 2):
        path = workdir / f"selections/a.few.s0/cycle_{cycle:02d}.jsonl"
        header, *picks = lines(path)
        count = budgets[cycle] - budgets[cycle - 1]
        assert len(picks) == len({pick["id"] for pick in picks}) == count
        assert header["filled"] == count - 3
        assert header["reason"] == "three are enough"
        assert [pick["score"] is None for pick in picks] == [False] * 3 + [True] * (count - 3)
        told = sealed.read_json(path.with_suffix(".json"))
        assert (told["filled"], told["reason"]) == (count - 3, "three are enough")
    assert "three are enough" in (workdir / "report/index.html").read_text()
    assert (
        records.read(workdir / "selections/a.unsure.s0/cycle_01.jsonl").header.get("filled") is None
    )


def test_the_report_needs_none_of_that_code(work, tmp_path, monkeypatch):
    """It is drawn where no outside policy can be imported."""
    again = tmp_path / "w"
    shutil.copytree(work[0], again)
    shutil.rmtree(again / "report")
    for name in [name for name in sys.modules if name.startswith("tests.outside.p")]:
        monkeypatch.setitem(sys.modules, name, None)
    report.write(again)
    first, second = (w / "report/table.csv" for w in (work[0], again))
    assert first.read_bytes() == second.read_bytes()
