"""A work folder of an older version gives the report that it gave then."""

import shutil
import zipfile
from pathlib import Path

import pytest

from salx import report
from salx.infra.sealed import read_json

# What commit 16182bb left of tests/small_study.py with four policies, the lineage a, b, potentials
# and deployments after cycles 1 and 2; its report's tables with it, without checkpoints.
STUDY = Path(__file__).parent / "golden" / "study.zip"
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
