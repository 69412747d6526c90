"""The rules find what they are for: a fuzz whose rules see nothing would always pass."""

import os

import pytest

from tests.fuzz import rules
from tests.fuzz.case import ANY, GOOD, REFUSED, Case
from tests.fuzz.running import LATE, Outcome

LINE = "salx: --pool=x: no such folder\n"
USAGE = "usage: python -m salx select [-h]\n      [--pool PLACE]\nsalx: error: no such flag\n"
TRACE = 'Traceback (most recent call last):\n  File "x"\nValueError: no\n'

WRONG = [
    (Outcome(2, "", LINE + LINE), REFUSED, "lines: 2"),
    (Outcome(2, "", ""), REFUSED, "lines: 0"),
    (Outcome(2, "", "Corrupt JPEG data\n" + LINE), REFUSED, "lines: 2"),
    (Outcome(2, "", "salx: " + "x" * 5000 + "\n"), REFUSED, "lines: one of"),
    (Outcome(1, "", TRACE), ANY, "traceback: ValueError: no"),
    (Outcome(2, "", f"salx: --config: {TRACE}"), REFUSED, "traceback"),
    (Outcome(0, TRACE, ""), GOOD, "traceback"),
    (Outcome(1, "", "", shown=TRACE), ANY, "traceback: ValueError: no"),
    (Outcome(0, "", ""), REFUSED, "code: 0, not [2]"),
    (Outcome(2, "", LINE), GOOD, "code: 2, not [0]"),
    (Outcome(-9, "", LINE), ANY, "code: -9"),
    (Outcome(LATE, "", ""), ANY, "time"),
    (Outcome(0, "", "", memory=2**32), ANY, "memory: 4096 MiB"),
]


@pytest.mark.parametrize(("outcome", "codes", "fault"), WRONG)
def test_a_wrong_end_is_found(outcome, codes, fault):
    (wrong,) = rules.faults(Case(("select",), "", codes), outcome, {}, {})
    assert wrong.startswith(fault)


@pytest.mark.parametrize(
    "err", [LINE, USAGE, "W1128 12:00:00.000 x.py:1] two are left out\n" + LINE]
)
def test_a_right_end_passes(err):
    assert rules.faults(Case(("select",), "", REFUSED), Outcome(2, "", err), {}, {}) == []


def test_changes_of_files_are_found(tmp_path):
    for name in ("same", "changed", "gone", "replaced"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link").symlink_to("same")
    before = rules.snapshot(tmp_path)
    (tmp_path / "changed").write_text("ours")
    (tmp_path / "gone").unlink()
    (tmp_path / "replaced").unlink()
    (tmp_path / "replaced").mkdir()
    (tmp_path / "link").unlink()
    os.symlink("changed", tmp_path / "link")
    (tmp_path / "new").touch()
    after = rules.snapshot(tmp_path)
    case = Case(("select",), "", ANY)
    done = rules.faults(case, Outcome(0, "", ""), before, after)
    wrong = ["changed was changed", "gone is gone", "link was changed", "replaced was changed"]
    assert sorted(done) == [f"files: {each}" for each in wrong]
    assert "files: new was left" in rules.faults(case, Outcome(2, "", LINE), before, after)
    free = Case(("select",), "", ANY, changes=("changed", "gone", "link", "replaced", "new"))
    assert rules.faults(free, Outcome(2, "", LINE), before, after) == []
    marked = Case(("select",), "", ANY, changes=free.changes, absent=("new",))
    assert rules.faults(marked, Outcome(0, "", ""), before, after) == ["files: new was made"]
