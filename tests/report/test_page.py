import base64
import csv
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from salx import commands, report
from salx.infra import sealed
from salx.infra.errors import InputError
from salx.report.load import results
from salx.report.page import files as page
from tests.limits import full_disk
from tests.report.work import write_work

VOID = {"meta", "br", "hr", "img", "link", "input"}
SMALL = {"seeds": 1, "cycles": 2, "surrogates": ["res8"], "deployments": ["res8", "res14"]}
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


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A study with all that one may have: policies, lineage, potentials, pictures."""
    workdir = write_work(
        tmp_path_factory.mktemp("everything"), recorded=True, potentials=True, seeds=2, cycles=4,
        policies=["entropy", "core_set"], lineages={"line": ["res8", "res20"]},
    )  # fmt: skip
    report.write(workdir)
    return workdir


def test_the_page_needs_nothing_else_and_is_well_formed(everything):
    path = report.write(everything)
    assert path == everything / "report" / "index.html"
    text = path.read_text()
    parsed = Page(text)
    assert not {tag for tag, _ in parsed.elements} & {"script", "link", "iframe", "object"}
    for tag, attributes in parsed.elements:
        for name in ("src", "href", "xlink:href", "srcset"):
            assert not str(attributes.get(name, "")).startswith(("http", "//"))
        assert tag != "img" or attributes["src"].startswith("data:image/png;base64,")
    assert "@import" not in text
    assert "url(http" not in text
    assert "http:" not in text
    assert "https:" not in text


def test_ids_are_unique_and_links_lead_somewhere(everything):
    path = report.write(everything)
    elements = Page(path.read_text()).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in elements if tag in ("a", "use") and "href" in a]
    assert len(links) > 300
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
    workdir = write_work(tmp_path, **SMALL, dataset=dataset)
    text = report.write(workdir).read_text()
    assert "<b>" not in text
    assert "<script" not in text
    assert EVIL in "".join(Page(text).words)


def test_equal_results_give_equal_bytes(tmp_path):
    first, second = (write_work(tmp_path / name, **SMALL) for name in "ab")
    report.write(first)
    report.write(second)
    assert contents(first / "report") == contents(second / "report")


def test_files_are_all_there_and_figures_are_svg_and_png(everything):
    files = contents(everything / "report")
    figures = ["figure_3", "figure_4_entropy", "gain_entropy", "gain_core_set"]
    figures += [f"curve_{p}_{m}" for p in ("entropy", "core_set") for m in ("res8", "res14")]
    for figure in figures:
        assert ET.fromstring(files[f"figures/{figure}.svg"]).tag.endswith("svg")
        assert files[f"figures/{figure}.png"].startswith(b"\x89PNG")
    sheets = ["verdicts", "gains", "areas", "policies", "potentials", "lineage_line", "classes"]
    sheets += ["diagnostics_core_set", "overlap_entropy", "agreement_entropy", "training"]
    names = [f"tables/{sheet}.{kind}" for sheet in sheets for kind in ("csv", "md", "tex")]
    assert {"index.html", "table.csv", "table.md", "table.tex", *names} <= files.keys()
    assert "tables/agreement_core_set.csv" not in files  # Core-Set leaves no scores
    assert not [name for name in files if name.endswith(".tmp")]


def test_every_figure_and_sheet_is_on_the_page(everything):
    text = (everything / "report" / "index.html").read_text()
    ids = {a["id"] for _, a in Page(text).elements if "id" in a}
    assert {"verdicts", "gains", "areas", "policies", "potentials", "lineage_line"} <= ids
    assert {"policies_res8", "scores_entropy_res14", "gain_core_set", "curve_core_set_res20"} <= ids
    assert {"diagnostics_entropy", "overlap_core_set", "classes", "training", "choosing"} <= ids


def test_the_points_of_the_curves_name_their_runs(everything):
    with open(everything / "report" / "tables" / "curves.csv") as file:
        lines = list(csv.DictReader(file))
    places = [(x["deployment"], x["surrogate"], x["policy"], x["cycle"]) for x in lines]
    assert len(places) == len(set(places))
    assert {cycle for *_, cycle in places} == {"0", "1", "3"}
    for line in lines:
        assert len(line["runs"].split()) == int(line["n"]) == 2
        for run in line["runs"].split():
            assert (everything / "deployments" / run / "result.json").is_file()


def test_pictures_are_those_of_the_run(everything):
    pictures = [a for t, a in Page(report.write(everything).read_text()).elements if t == "img"]
    found = {base64.b64decode(picture["src"].partition(",")[2]) for picture in pictures}
    strips = "selections/res8.entropy.s0/strip_01.png", "selections/line.core_set.s0/strip_03.png"
    assert {(everything / strip).read_bytes() for strip in strips} <= found
    assert {(picture["width"], picture["height"]) for picture in pictures} == {("640", "32")}
    assert len(pictures) == 2 * 2 * 4  # two cycles of four choosers under two policies


def test_what_is_no_picture_is_an_error_that_names_it(tmp_path):
    workdir = write_work(tmp_path, recorded=True, seeds=1, cycles=2)
    (workdir / "selections" / "res8.entropy.s0" / "strip_01.png").write_bytes(b"<svg>")
    with pytest.raises(InputError, match=r"s0/strip_01\.png: damaged"):
        report.write(workdir)


def test_a_study_of_the_paper_has_its_table_beside_it(tmp_path):
    models = {"a": {"name": "deeplab_resnet18"}, "b": {"name": "deeplab_xception65"}}
    workdir = write_work(
        tmp_path, seeds=2, cycles=2, models=models, surrogates=["a", "b"], deployments=["a", "b"],
        dataset={"name": "cityscapes"}, metric="mIoU", potentials=True,
    )  # fmt: skip
    words = " ".join("".join(Page(report.write(workdir).read_text()).words).split())
    assert "Beside the paper's Table 3" in words
    assert "paper 56.6 ± 0.2 (+1.8)" in words
    assert "paper 79.9" in words
    assert "mIoU (%)" in words


def test_one_seed_has_no_interval_anywhere(tmp_path):
    workdir = write_work(tmp_path, seeds=1, cycles=3)
    text = report.write(workdir).read_text()
    assert "One seed gives neither a spread nor an interval" in text
    shown = "".join(Page(re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", text, flags=re.S)).words)
    assert "±" not in shown
    assert not re.search(r"\[[-+\N{MINUS SIGN}]?\d", shown)


def test_a_report_is_drawn_again_only_when_something_changed(tmp_path, monkeypatch):
    workdir = write_work(tmp_path, **SMALL)
    drawn = []
    render = page.render
    monkeypatch.setattr(page, "render", lambda *given: drawn.append(given) or render(*given))
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
    sealed.write_json(workdir / "report" / "made_from.json", {"of": "another file"})
    report.write(workdir)
    assert len(drawn) == 4
    result = workdir / "deployments" / "res8.on.random.s0.c01" / "result.json"
    value = sealed.read_json(result)
    sealed.write_json(result, value | {"value": 0.5})
    report.write(workdir)
    assert len(drawn) == 5


def test_a_damaged_result_is_an_error_that_names_it(workdir):
    path = workdir / "deployments" / "res14.on.res8.entropy.s1.c09" / "result.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(
        InputError, match=r"res14\.on\.res8\.entropy\.s1\.c09/result\.json: damaged"
    ):
        report.write(workdir)


@pytest.mark.parametrize("field", ["value", "checkpoint", "seconds"])
def test_a_result_without_a_field_is_an_error_that_names_both(workdir, field):
    path = workdir / "deployments" / "res8.on.random.s0.c00" / "result.json"
    value = sealed.read_json(path)
    del value[field]
    sealed.write_json(path, value)
    with pytest.raises(InputError, match=rf"s0\.c00/result\.json: has no field '{field}'"):
        report.summary(workdir)


@pytest.mark.parametrize("field", results.CONFIG)
def test_a_study_of_an_older_salx_is_an_error_that_names_the_field(workdir, field):
    path = workdir / "study.json"
    value = sealed.read_json(path)
    del value["config"][field]
    sealed.write_json(path, value)
    with pytest.raises(InputError, match=rf"study\.json: has no field 'config\.{field}'"):
        report.write(workdir)


def test_a_result_in_another_runs_folder_is_refused(workdir):
    folder = workdir / "deployments"
    (folder / "res8.on.random.s0.c00").rename(folder / "res8.on.random.s7.c00")
    with pytest.raises(InputError, match=r"s7.* is the result of another run"):
        report.write(workdir)


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
    assert commands.main(["report", str(workdir)]) == 0
    out = capsys.readouterr().out
    assert "better than random in" in out
    assert out.rstrip().endswith("report/index.html")
    assert "±" in out


def test_the_command_refuses_what_is_no_work_folder_in_one_line(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "salx", "report", str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == f"salx: {tmp_path}: not a study's work folder: it has no study.json\n"


@pytest.mark.parametrize("kind", ["file", "link", "tables"])
def test_a_report_is_written_into_a_folder_of_its_own(workdir, tmp_path, capsys, kind):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "index.html").write_text("mine")
    folder = workdir / "report"
    shutil.rmtree(folder, ignore_errors=True)
    if kind == "file":
        folder.write_text("mine")
    elif kind == "link":
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir()
        (folder / "tables").symlink_to(elsewhere)
    assert commands.main(["report", str(workdir)]) == 2
    out, err = capsys.readouterr()
    named = folder / "tables" if kind == "tables" else folder
    what = "is no folder" if kind == "file" else "is a link"
    assert (out, err) == (
        "", f"salx: {named}: {what}, and the report is written there; rename it\n",
    )  # fmt: skip
    assert [path.read_text() for path in elsewhere.iterdir()] == ["mine"]


def test_a_full_disk_names_the_reports_file(workdir, capsys):
    shutil.rmtree(workdir / "report", ignore_errors=True)
    with full_disk(3000):
        assert commands.main(["report", str(workdir)]) == 1
    err = capsys.readouterr().err
    line = rf"salx: {workdir}/report/[\w./]+: cannot be written: File too large\n"
    assert re.fullmatch(line, err)
    assert commands.main(["report", str(workdir)]) == 0


def test_the_finished_path_needs_no_jax_and_no_scipy_stats(workdir):
    """The console's table of a finished study is printed each time the study is visited."""
    code = (
        "import salx.report, sys, json; from pathlib import Path; "
        f"salx.report.summary(Path({str(workdir)!r}), 80); print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout))
    assert "scipy.special" in loaded
    assert not loaded & {"jax", "matplotlib", "scipy.stats", "jinja2"}


def test_importing_the_report_is_light():
    code = "import salx.report, sys, json; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout))
    assert not loaded & {"matplotlib", "scipy", "jinja2", "jax", "numpy"}
