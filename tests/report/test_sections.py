"""Sections of the page from outside the package, by flag and by entry point."""

import csv
import os
import re
import subprocess
import sys

import pytest

from salx import commands, report
from salx.report.sections import section
from tests.builders import ROOT
from tests.outside.installed import install
from tests.report.work import write_work

OUTSIDE = "tests.outside.sections"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The work folder of a small study."""
    return write_work(
        tmp_path_factory.mktemp("small"), seeds=1, cycles=2, surrogates=["res8"],
        deployments=["res8", "res14"],
    )  # fmt: skip


def test_the_packages_sections_have_names_titles_and_an_order():
    kinds = section.find()
    assert list(kinds) == [
        "table", "comparison", "statistics", "curves", "lineage", "diagnostics", "run", "costs",
        "provenance",
    ]  # fmt: skip
    assert len({kind.title for kind in kinds.values()}) == len(kinds)


def test_a_section_from_outside_is_on_the_page(small, capsys):
    without = report.write(small).read_text()
    assert commands.main(["report", str(small), f"--section={OUTSIDE}:Slowest"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("report/index.html")
    page = (small / "report/index.html").read_text()
    assert '<section id="tests-outside-sections-Slowest">\n<h2>The slowest &lt;run&gt;</h2>' in page
    assert page.index("The slowest") < page.index("Who chooses well for whom</h2>")
    assert "<h3>By hand &amp; by clock</h3>" in page
    assert 'id="slowest"' in page
    assert "A table without rows" not in page
    with open(small / "report/tables/slowest.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["training seconds"]) == 1.9
    assert rows[0]["sources"] == f"deployments/{rows[0]['run']}/result.json"
    assert (small / "report/slowest.txt").read_text() == rows[0]["run"]
    assert not (small / "report/tables/nothing.csv").exists()
    report.write(small, [f"{OUTSIDE}:Slowest"])
    assert (small / "report/index.html").read_text() == page
    assert report.write(small).read_text() == without


def test_an_installed_package_brings_its_section(small, tmp_path):
    path = f"{ROOT}:{install(tmp_path / 'site')}"
    env = {**os.environ, "PYTHONPATH": path}
    words = [sys.executable, "-m", "salx", "report", str(small)]
    ran = subprocess.run(words, capture_output=True, text=True, env=env)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert '<section id="slow_runs">' in (small / "report/index.html").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Failing", "section '{}' failed: ZeroDivisionError: nothing to divide by"),
        ("Taking", "section '{}': 'tables/gains.csv' is of section 'statistics', too"),
        ("Leaving", "section '{}': '../study.json' cannot be a file's name"),
        ("Untitled", "section '{}' has no title"),
        ("Absent", "section '{}' cannot be loaded: AttributeError: .*"),
        ("csv", "section '{}' cannot be loaded: AttributeError: .*"),
    ],
)
def test_a_section_that_fails_is_one_line_that_names_it(small, capsys, name, message):
    name = f"{OUTSIDE}:{name}"
    page = report.write(small)
    before = page.read_bytes()
    assert commands.main(["report", str(small), f"--section={name}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    expected = "salx: " + message.format(name) + "\n"
    assert err == expected or re.fullmatch(expected, err)
    assert page.read_bytes() == before


def test_an_unknown_section_is_refused_with_those_that_there_are(small, capsys):
    assert commands.main(["report", str(small), "--section=statistic"]) == 2
    assert "unknown section 'statistic'; did you mean 'statistics'?" in capsys.readouterr().err
