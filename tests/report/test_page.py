import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from salx import report, runs
from salx.errors import InputError
from salx.report import __main__ as command
from salx.report import page, results
from tests.report.work import write_work

VOID = {"meta", "br", "hr", "img", "link", "input"}
EVIL = '<b>bold</b> & "quoted" <script>alert(1)</script>'


class Page(HTMLParser):
    """Collects a page's elements and text; fails on a tag that is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_page_needs_nothing_else_and_is_well_formed(workdir):
    path = report.write(workdir)
    assert path == workdir / "report" / "index.html"
    text = path.read_text()
    found = Page(text)
    assert not {tag for tag, _ in found.elements} & {"script", "link", "iframe", "object", "img"}
    for _, attributes in found.elements:
        for name in ("src", "href", "xlink:href", "srcset"):
            assert not str(attributes.get(name, "")).startswith(("http", "//"))
    assert "@import" not in text
    assert "url(http" not in text
    assert "http:" not in text
    assert "https:" not in text


def test_ids_are_unique_and_links_lead_somewhere(workdir):
    path = report.write(workdir)
    elements = Page(path.read_text()).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in elements if tag in ("a", "use") and "href" in a]
    assert len(links) > 30
    for link in links:
        inside = link.startswith("#") and link[1:] in ids
        assert inside or (path.parent / link).is_file(), link


def test_every_number_of_the_table_names_its_runs(workdir):
    text = report.write(workdir).read_text()
    for deployment in ("res8", "res14", "res20"):
        for column in ("res8.entropy", "res14.entropy", "res20.entropy", "random"):
            for seed in range(3):
                assert f"deployments/{deployment}.on.{column}.s{seed}.c09/result.json" in text


def test_names_from_files_are_escaped(tmp_path):
    dataset = {"about": EVIL, "classes": [EVIL] * 3, "name": EVIL}
    workdir = write_work(tmp_path, seeds=1, cycles=2, dataset=dataset)
    text = report.write(workdir).read_text()
    assert "<b>" not in text
    assert "<script" not in text
    assert EVIL in "".join(Page(text).words)


def test_equal_results_give_equal_bytes(tmp_path):
    first, second = write_work(tmp_path / "a", cycles=2), write_work(tmp_path / "b", cycles=2)
    report.write(first)
    report.write(second)
    assert contents(first / "report") == contents(second / "report")


def test_files_are_all_there_and_figures_are_svg_and_png(workdir):
    report.write(workdir)
    files = contents(workdir / "report")
    figures = ["gain", *(f"{k}_{m}" for k in ("curve", "entropy") for m in ("res8", "res14"))]
    for figure in figures:
        assert ET.fromstring(files[f"figures/{figure}.svg"]).tag.endswith("svg")
        assert files[f"figures/{figure}.png"].startswith(b"\x89PNG")
    assert {"index.html", "table.csv", "table.md", "table.tex"} <= files.keys()
    assert not [name for name in files if name.endswith(".tmp")]


def test_a_report_is_drawn_again_only_when_something_changed(workdir, monkeypatch):
    drawn = []
    render = page.render
    monkeypatch.setattr(page, "render", lambda work: drawn.append(work) or render(work))
    path = report.write(workdir)
    report.write(workdir)
    assert len(drawn) == 1
    path.write_text("cut off")
    report.write(workdir)
    assert len(drawn) == 2
    assert "</html>" in path.read_text()
    (workdir / "report" / "made_from.json").write_text("{}")
    report.write(workdir)
    assert len(drawn) == 3
    result = workdir / "deployments" / "res8.on.random.s0.c09" / "result.json"
    value = runs.read_json(result)
    runs.write_json(result, value | {"value": 0.5})
    report.write(workdir)
    assert len(drawn) == 4


def test_a_damaged_result_is_an_error_that_names_it(workdir):
    report.write(workdir)
    path = workdir / "deployments" / "res14.on.res8.entropy.s1.c09" / "result.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(
        InputError, match=r"res14\.on\.res8\.entropy\.s1\.c09/result\.json: damaged"
    ):
        report.write(workdir)


@pytest.mark.parametrize("field", ["value", "checkpoint", "seconds"])
def test_a_result_without_a_field_is_an_error_that_names_both(workdir, field):
    path = workdir / "deployments" / "res8.on.random.s0.c00" / "result.json"
    value = runs.read_json(path)
    del value[field]
    runs.write_json(path, value)
    with pytest.raises(InputError, match=rf"s0\.c00/result\.json: has no field '{field}'"):
        report.summary(workdir)


def test_a_result_in_another_runs_folder_is_refused(workdir):
    folder = workdir / "deployments"
    (folder / "res8.on.random.s0.c00").rename(folder / "res8.on.random.s7.c00")
    with pytest.raises(InputError, match=r"s7.* is the result of another run"):
        report.write(workdir)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"junk"])
def test_damaged_scores_are_an_error_that_names_them(workdir, damage):
    path = workdir / "selections" / "res8.entropy.s0" / "scores_09.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"s0/scores_09\.npz: damaged"):
        report.write(workdir)


def test_scores_are_of_the_last_cycle_that_was_scored_and_pool_its_seeds(workdir):
    (workdir / "selections" / "res8.entropy.s1" / "scores_09.npz").unlink()
    for seed in range(3):
        (workdir / "selections" / f"res14.entropy.s{seed}" / "scores_09.npz").unlink()
    scores = {s.column.surrogate: s for s in results.read(workdir).scores}
    assert (scores["res8"].cycle, scores["res8"].seeds) == (9, (0, 2))
    assert (scores["res14"].cycle, scores["res14"].seeds) == (8, (0, 1, 2))
    assert len(scores["res8"].values) == 2 * (1437 - 259)
    assert scores["res8"].values.dtype == np.float32


def test_a_study_that_has_only_begun_has_a_page(tmp_path):
    workdir = write_work(tmp_path, cycles=3)
    for folder in ("deployments", "selections"):
        (workdir / folder).rename(tmp_path / f"not_{folder}")
    text = report.write(workdir).read_text()
    Page(text)
    assert "The study is not finished" in text
    assert "can be compared yet" in text
    assert "0.0" not in str(report.summary(workdir))


def test_the_command_prints_the_table_and_the_page(workdir, capsys):
    assert command.main([str(workdir)]) == 0
    out = capsys.readouterr().out
    assert "beats random in" in out
    assert out.rstrip().endswith("report/index.html")
    assert "±" in out


def test_the_command_refuses_what_is_no_work_folder_in_one_line(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "salx.report", str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == f"{tmp_path}: not a study's work folder: it has no study.json\n"


def test_importing_the_report_is_light():
    code = "import salx.report, sys, json; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout))
    assert not loaded & {"matplotlib", "scipy", "jinja2", "jax", "numpy"}
