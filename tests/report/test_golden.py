"""A work folder of an older version gives the report that it gave then."""

import json
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from salx import report
from salx.infra.sealed import read_json
from tests.report.numbers import numbers

# What commit 16182bb left of tests/small_study.py with four policies, the lineage a, b, potentials
# and deployments after cycles 1 and 2; its report's tables with it, without checkpoints.
STUDY = Path(__file__).parent / "golden" / "study.zip"
# Of the page that it made: its numbers by section and figure, without those that were links to
# sources, and the names of the files beside it.
PAGE = Path(__file__).parent / "golden" / "page.json"
PARTS = ("table.csv", "table.md", "table.tex", "tables/*.csv")


@pytest.fixture
def old(tmp_path):
    with zipfile.ZipFile(STUDY) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_the_tables_of_an_older_version_are_drawn_again_byte_for_byte(old):
    assert "policies" not in read_json(old / "study.json")
    files = sorted(path for pattern in PARTS for path in (old / "report").glob(pattern))
    before = {str(path.relative_to(old)): path.read_bytes() for path in files}
    assert len(before) == 24
    shutil.rmtree(old / "report")
    report.write(old)
    for name, content in before.items():
        assert (old / name).read_bytes() == content, name
    assert {str(p.relative_to(old)) for p in (old / "report/tables").glob("*.csv")} < set(before)


def test_every_number_of_an_older_page_is_on_the_new_one(old):
    """In the same section or figure, as often as there, and with the same files beside it."""
    shutil.rmtree(old / "report")
    page = report.write(old)
    golden = json.loads(PAGE.read_text(encoding="utf-8"))
    now = numbers(page.read_text(encoding="utf-8"))
    assert len(golden["numbers"]) == 29
    for part, before in golden["numbers"].items():
        lost = Counter(before.split()) - Counter(now[part])
        assert not lost, part
    files = {str(path.relative_to(page.parent)) for path in page.parent.rglob("*")}
    assert set(golden["files"]) <= files
