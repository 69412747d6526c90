"""The paper's own tables, fed in as a study's results, give what the paper says of them."""

import json
from pathlib import Path

import pytest

from salx.report import formatting, verdict
from salx.report.analysis import grids
from salx.report.analysis.grids import Tally
from salx.report.load import paper, results
from salx.report.load.types import Work
from salx.report.tables import findings, writers
from salx.report.tables.paper import table as beside
from tests.report.work import result, study, write_work

GIVEN = Path(__file__).resolve().parents[3] / "shared" / "paper" / "paper_tables.json"
VAL = {"cityscapes": 500, "ade20k": 2000, "imagenet": 50000}
NETWORKS = {name: network for network, name in paper.facts()["networks"].items()}
SETS = list(VAL)


def fed(dataset, spread=True):
    """A study whose three seeds have the paper's mean and standard deviation in every cell:
    mean - std, mean and mean + std; with `spread` false one seed that has the mean."""
    table = paper.facts()["tables"][dataset]
    prefix = "" if dataset == "imagenet" else "deeplab_"
    models = {name: {"name": prefix + NETWORKS[name]} for name in table["cells"]}
    seeds = 3 if spread else 1
    value = study(
        dataset={"name": dataset, "val": VAL[dataset]}, models=models, cycles=1, seeds=seeds,
        surrogates=list(models), deployments=list(models), metric=table["metric"],
    )  # fmt: skip
    value["deploy_cycles"], value["budgets"] = [1], [29, 287]
    found = {}
    for deployment, row in table["cells"].items():
        for surrogate, (mean, std) in row.items():
            for seed in range(seeds):
                who = (None, "random") if surrogate == "random" else (surrogate, "entropy")
                measured = (mean + (seed - 1) * std * spread) / 100
                made = result(deployment, *who, seed, 1, 287, measured)
                del made["loss"]
                found[made["run"]] = results.Result(**made)
    return Work(results.study_facts(value), found)


@pytest.fixture(scope="module")
def built():
    return {name: grids.build(fed(name)) for name in SETS}


def test_the_figures_are_those_of_the_papers_tables():
    if not GIVEN.is_file():
        pytest.skip("the paper's tables are not beside this repository")
    given = json.loads(GIVEN.read_text())
    for name in SETS:
        ours = paper.facts()["tables"][name]
        theirs = given[f"table{ours['number']}"]
        assert theirs["dataset"].lower() == name
        assert theirs["policy"] == ours["policy"]
        assert f"{ours['metric']} [{ours['unit']}]" == theirs["metric"]
        assert ours["cells"] == {
            deployment: {s: [value["mean"], value["std"]] for s, value in row.items()}
            for deployment, row in theirs["cells"].items()
        }


def test_38_pairs_28_off_the_diagonal_25_better_than_random(built):
    every = [table for name in SETS for table in built[name]]
    off, on = grids.tally(every), grids.tally(every, diagonal=True)
    assert off.pairs + on.pairs == 38
    assert (off.pairs, off.compared, off.better) == (28, 28, 25)
    worse = {
        (cell.column.surrogate, cell.deployment, round(cell.gain.mean, 2))
        for cell in (cell for table in every for cell in table.pairs)
        if cell.gain and not cell.diagonal and cell.gain.mean <= 0
    }
    assert worse == {
        ("Res-50", "Res-18", -0.23), ("Xc-65", "Res-18", -1.19), ("Xc-65", "Res-50", -0.52),
    }  # fmt: skip
    assert off.gain == pytest.approx(1.657, abs=0.0005)


@pytest.mark.parametrize(
    ("name", "pairs", "better", "gain"),
    [("cityscapes", 20, 20, 2.245), ("ade20k", 6, 3, -0.105), ("imagenet", 2, 2, 1.065)],
)
def test_mean_gains(built, name, pairs, better, gain):
    found: Tally = grids.tally(built[name])
    assert (found.pairs, found.better) == (pairs, better)
    assert found.gain == pytest.approx(gain, abs=0.0005)


@pytest.mark.parametrize("name", SETS)
def test_cells_are_the_papers_and_rows_are_coloured_in_its_order(built, name):
    cells = paper.facts()["tables"][name]["cells"]
    (table,) = built[name]
    for row, given in zip(table.rows, cells.values(), strict=True):
        figures = [given[label] for label in table.labels]
        assert [(cell.mean, cell.std) for cell in row] == [pytest.approx(f) for f in figures]
        means = [mean for mean, _ in figures]
        order = sorted(set(means), reverse=True)
        assert [cell.rank for cell in row] == [order.index(mean) + 1 for mean in means]
        assert row[means.index(min(means))].shade == 0
        assert row[means.index(max(means))].shade == 1
        if name == "cityscapes":
            assert row[-1].shade == 0  # random is the worst of every row there


def test_the_best_surrogates_of_table_3(built):
    best = {
        row[0].deployment: [cell.column.surrogate for cell in row if cell.rank == 1]
        for row in built["cityscapes"][0].rows
    }
    assert best == {
        "Res-20": ["MNV3"], "MNV3": ["MNV3"], "Res-18": ["Res-18"], "Res-50": ["MNV3", "Res-18"],
        "Xc-65": ["Res-50"],
    }  # fmt: skip


def test_beside_itself_the_paper_agrees_in_every_cell(built):
    for name in SETS:
        work = fed(name)
        found = paper.find(work.study)
        sheet = beside(found, built[name])
        off = grids.tally(built[name])
        assert f"paper's sign in {off.compared} of {formatting.counted(off.compared, 'pair')}" in (
            sheet.caption
        )
        for row in sheet.rows:
            for item in row[1:]:
                mean, std, n, gain, *theirs = item.numbers
                assert n == 3
                assert [mean, std] == pytest.approx(theirs[:2])
                assert gain is theirs[2] is None or gain == pytest.approx(theirs[2])


def test_a_single_seed_gives_the_papers_means_and_no_certainty():
    built = grids.build(fed("ade20k", spread=False))
    assert grids.tally(built) == Tally(6, 6, 3, 0, 0, pytest.approx(-0.105))
    assert "a single seed each (n = 1)" in verdict.verdict(built)
    rows = findings.verdicts(built, fed("ade20k", spread=False).study).rows
    assert [row[3].text for row in rows] == [formatting.MISSING] * 2


def test_which_studies_are_the_papers(tmp_path):
    def found(name, policies=("entropy",), **models):
        dataset = {"name": name}
        made = study(dataset=dataset, models=models, policies=list(policies), cycles=2)
        made["config"] |= {"surrogates": list(models), "deployments": list(models)}
        return paper.find(results.study_facts(made))

    both = {"small": {"name": "deeplab_resnet18"}, "x": {"name": "deeplab_xception65"}}
    assert found("cityscapes", **both).names == {"small": "Res-18", "x": "Xc-65"}
    assert found("ade20k", **both).number == 4
    assert found("imagenet", a={"name": "resnet34"}, b={"name": "resnet50"}).names == {
        "a": "Res-34"
    }
    assert found("camvid", **both) is None
    assert found("cityscapes", policies=("core_set",), **both) is None
    assert found("cityscapes", a={"name": "deeplab_resnet34"}) is None


def test_missing_runs_show_as_missing_beside_the_paper(tmp_path):
    models = {f"res{n}": {"name": f"deeplab_resnet{m}"} for n, m in ((8, 18), (14, 50), (20, 20))}
    workdir = write_work(
        tmp_path, seeds=1, cycles=2, dataset={"name": "cityscapes"}, models=models, metric="mIoU"
    )
    for path in (workdir / "deployments").glob("res14.on.res8.*"):
        (path / "result.json").unlink()
    work = results.read(workdir)
    sheet = beside(paper.find(work.study), grids.build(work))
    assert sheet.rows[1][1].text == "here \N{EN DASH}\npaper 74.4 ± 0.1 (+3.2)"
    assert sheet.rows[1][1].numbers[:4] == (None, None, 0, None)
    assert "of 5 pairs" in sheet.caption
    assert ",0.0," not in writers.csv(sheet).splitlines()[2].split("74.4")[0]
