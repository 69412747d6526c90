"""How policies are shown is read from study.json; the report has no policy's code."""

import subprocess
import sys

import numpy as np
import pytest

from salx import report
from salx.infra.errors import InputError
from salx.infra.sealed import read_json, write_json
from salx.report import verdict
from salx.report.analysis import diagnostics, grids
from salx.report.figures import style
from salx.report.load import results, selections
from salx.report.load.types import RANDOM, Column, PolicyFacts
from salx.report.sections.blocks import Material
from salx.report.sections.diagnostics import drawings_of_scores
from salx.report.tables import costs, findings, surrogates, writers
from tests.report.work import study, write_result, write_work

FACTS = {
    "margin": {
        "name": "margin", "title": "least margin", "unit": "margin", "marker": "*",
        "oracle": False, "head": False,
    },
    "cheat": {
        "name": "cheat", "title": "cheating", "unit": "error", "marker": "X", "oracle": True,
        "head": False,
    },
}  # fmt: skip


def tell(workdir, **policies):
    """Write into study.json how its policies are shown."""
    write_json(workdir / "study.json", read_json(workdir / "study.json") | {"policies": policies})


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A study by policies that nothing here has the code of."""
    workdir = write_work(
        tmp_path_factory.mktemp("outside"), seeds=2, cycles=2, policies=list(FACTS)
    )
    tell(workdir, **FACTS)
    return workdir


def test_a_policy_is_shown_as_it_says(outside):
    work = results.read(outside)
    built = grids.build(work)
    assert [table.title for table in built] == ["least margin", "cheating"]
    assert "a surrogate's least margin is better" in verdict.verdict(built)
    assert style.by_surrogate(work.study, Column("res8", "margin"))["marker"] == "*"
    assert style.by_surrogate(work.study, RANDOM)["marker"] == "P"
    page = report.write(outside).read_text()
    assert "<h3>least margin</h3>" in page
    assert "chosen by cheating" in (outside / "report/table.md").read_text()


def test_an_oracle_is_named_by_its_title(outside):
    work = results.read(outside)
    sheet = findings.verdicts(grids.build(work), work.study)
    assert sheet.caption.endswith(" Cheating knows the labels: a reference, not a way to choose.")
    names = [row[0].text for row in sheet.rows]
    assert names == ["least margin"] * 2 + ["cheating"] * 2
    tell(outside, **{name: facts | {"oracle": True} for name, facts in FACTS.items()})
    caption = findings.verdicts(grids.build(results.read(outside)), work.study).caption
    assert " Least margin and cheating know the labels: " in caption
    tell(outside, **FACTS)


def test_two_variants_of_a_policy_are_two_columns(tmp_path):
    options = {"entropy_mean": {"name": "entropy", "aggregation": "mean"}}
    workdir = write_work(
        tmp_path, seeds=1, cycles=2, policies=["entropy", "entropy_mean"], options=options
    )
    shown = results.read_study(workdir)
    assert shown.titles == ["entropy", "entropy mean"]
    assert shown.policy_facts["entropy_mean"] == shown.policy_facts["entropy"]
    assert shown.policy_facts["entropy_mean"].unit == "entropy (nats)"
    page = report.write(workdir).read_text()
    assert 'id="gain_entropy_mean"' in page
    assert "<h3>entropy mean</h3>" in page


def test_policies_of_older_versions_and_unknown_ones():
    value = study(policies=["entropy", "learning_loss", "core_set", "true_loss", "my_own"])
    shown = results.study_facts(value)
    assert shown.titles == ["entropy", "learning loss", "core-set", "true loss", "my own"]
    assert [shown.policy_facts[p].unit for p in shown.policies] == [
        "entropy (nats)", "predicted loss", "score", "loss", "score",
    ]  # fmt: skip
    assert [shown.policy_facts[p].marker for p in (*shown.policies, "random")] == list("Dos^vP")
    assert [p for p in shown.policies if shown.policy_facts[p].oracle] == ["true_loss"]
    assert shown.policy_facts["my_own"] == PolicyFacts("my_own", "my own")


def test_a_marker_that_matplotlib_lacks_does_not_stop_the_report(outside):
    tell(outside, **FACTS | {"margin": FACTS["margin"] | {"marker": "no marker"}})
    shown = results.read_study(outside)
    assert style.by_policy(shown, Column("res8", "margin"))["marker"] == "v"
    tell(outside, **FACTS)


def test_the_report_loads_no_policy(outside):
    code = (
        f"import salx.report, sys; salx.report.write({str(outside)!r}); "
        "print([m for m in sys.modules if m.startswith(('salx.policies', 'jax.', 'jaxlib'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.fixture
def ensemble(tmp_path):
    """A study in which a model and an ensemble of two choose for three."""
    workdir = write_work(
        tmp_path, recorded=True, seeds=2, cycles=3, surrogates=["res8", "pair"],
        ensembles={"pair": {"members": ["res8", "res14"]}},
    )  # fmt: skip
    for seed in range(2):
        write_result(workdir, "res8.w1", "pair", "entropy", seed, 1, 191, 0.9)
    return workdir


def test_an_ensemble_is_a_column_without_results_of_its_own(ensemble):
    work = results.read(ensemble)
    selected = selections.read(ensemble, work.study)
    (grid,) = grids.build(work)
    assert grid.labels == ("res8", "pair", "random")
    assert all(cell.n == 2 for cell in grid.pairs)
    assert not any(cell.diagonal for cell in grid.pairs if cell.column.surrogate == "pair")
    traits = diagnostics.traits(work, selected, Column("pair", "entropy"))
    assert traits["start"].values == traits["end"].values == traits["ece"].values == {}
    assert set(traits["mean"].values) == set(traits["overlap"].values) == {0, 1}
    rows = surrogates.trait_table(work, grid, selected).rows
    assert [row[2].text for row in rows[:3]] == ["not recorded"] * 3
    assert report.write(ensemble).is_file()


def test_a_members_record_and_runs_are_counted(ensemble):
    record = ensemble / "selections/pair.entropy.s0/cycle_01.jsonl"
    assert '"checkpoint":[' in record.read_text().splitlines()[0]
    rows = {row[0].text: row for row in costs.training(results.read(ensemble)).rows}
    assert rows["res8.w1"][1].numbers == (None,)
    assert rows["res8.w1"][2].numbers == (2,)
    counts = [row[2].numbers[0] for name, row in rows.items() if name != "all"]
    assert rows["all"][2].numbers == (sum(counts),)


def test_labels_of_ensembles_are_checked(tmp_path):
    workdir = write_work(tmp_path, seeds=1, cycles=2, ensembles={"a/b": {"members": ["res8"]}})
    with pytest.raises(InputError, match=r"config\.ensembles: 'a/b'"):
        report.summary(workdir)


def test_what_was_filled_at_random_is_said(tmp_path):
    workdir = write_work(tmp_path, seeds=2, cycles=3)
    work = results.read(workdir)
    before = costs.choosing(work, selections.read(workdir, work.study)).caption
    assert before == "Passes over the unlabelled pool: the examples scored, and how long it took."
    for seed, more in ((0, {"filled": 3, "reason": "all gradients are zero"}), (1, {"filled": 0})):
        path = workdir / f"selections/res14.entropy.s{seed}/cycle_01.json"
        write_json(path, read_json(path) | more)
    sheet = costs.choosing(work, selections.read(workdir, work.study))
    assert sheet.caption == before + (
        " Chosen at random, because the policy returned fewer than asked: "
        "3 for res14 (all gradients are zero)."
    )
    assert "all gradients are zero" in writers.markdown(sheet)
    assert "all gradients are zero" in report.write(workdir).read_text()


def test_figures_have_the_unit_of_the_policys_scores(outside):
    path = outside / "selections/res8.margin.s0/scores_01.npz"
    np.savez(path, ids=np.arange(40), scores=np.arange(40, dtype=np.float32))
    work = results.read(outside)
    material = Material(work, selections.read(outside, work.study), grids.build(work))
    drawn = list(drawings_of_scores(material, material.grids[0]))
    assert [one.name for one in drawn] == ["scores_margin_res8", "figure_4_margin"]
    assert {one.figure.axes[0].get_xlabel() for one in drawn} == {"margin"}
    path.unlink()
