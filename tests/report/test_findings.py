"""Sheets of statistics: wins between policies, potentials, classes, and their files."""

import csv
import io
import shutil

import pytest

from salx.report.analysis import grids, wins
from salx.report.analysis import lineage as generations
from salx.report.formatting import DAGGER, MISSING
from salx.report.load import results
from salx.report.tables import classes, findings, lineage, potentials, writers
from salx.report.tables import wins as win_matrix
from salx.report.tables.table import Cell, Head, Table, amount
from tests.report.work import write_potential, write_result, write_work

MODELS = ("res8", "res14", "res20")


def by_name(sheet):
    """{row's first text: {column: item}}"""
    names = [head.text for head in sheet.heads]
    return {row[0].text: dict(zip(names, row, strict=True)) for row in sheet.rows}


def read(text):
    return list(csv.reader(io.StringIO(text)))


def test_policies_meet_in_equal_settings(tmp_path):
    """Core-set 0.02 above entropy in every pair after both cycles, random 0.01 below it."""
    workdir = write_work(tmp_path, seeds=2, cycles=4, policies=["entropy", "core_set"])
    levels = {"entropy": 0.80, "core_set": 0.82, "random": 0.79}
    for policy, level in levels.items():
        for surrogate in (None,) if policy == "random" else MODELS:
            for model in MODELS:
                for cycle, labelled in ((1, 144), (3, 287)):
                    for seed in range(2):
                        value = level + 0.001 * seed
                        write_result(
                            workdir, model, surrogate, policy, seed, cycle, labelled, value
                        )
    work = results.read(workdir)
    assert wins.wins(work, "core_set", "entropy")[:3] == (18, 18, 18)
    assert wins.wins(work, "entropy", "core_set")[:3] == (0, 0, 18)
    assert wins.wins(work, "entropy", "random")[:3] == (18, 18, 18)
    # One setting turns round for one seed: no longer sure.
    write_result(workdir, "res8", "res14", "core_set", 0, 3, 287, 0.75)
    work = results.read(workdir)
    assert wins.wins(work, "core_set", "entropy")[:3] == (17, 17, 18)
    items = by_name(win_matrix.table(work))
    assert items["core-set"]["entropy"].text == f"17 of 18\n17 {DAGGER}"
    assert items["core-set"]["core-set"].text == ""
    sources = items["entropy"]["random"].sources
    assert len(sources) == 2 * (18 + 6)  # random is one run for all surrogates
    assert all((workdir / source).is_file() for source in sources)


def test_one_seed_has_wins_but_none_that_are_sure(tmp_path):
    work = results.read(write_work(tmp_path, seeds=1, cycles=2))
    assert wins.wins(work, "entropy", "random").certain == 0
    assert "One seed gives no interval" in win_matrix.table(work).caption
    (row, *_) = findings.intervals(grids.build(work)).rows
    assert [item.text for item in row[5:]] == [MISSING] * 4


def test_intervals_are_those_of_the_table(workdir):
    built = grids.build(results.read(workdir))
    sheet = findings.intervals(built)
    gains = {(c.deployment, c.column.surrogate): c.gain for c in built[0].pairs if c.gain}
    assert len(sheet.rows) == len(gains) == 9
    for row in sheet.rows:
        gain = gains[row[0].text, row[1].text]
        mean, n, t, bootstrap, p, holm = (item.numbers for item in row[3:])
        assert (*mean, *n, *t, *p, *holm) == (
            gain.mean, gain.n, gain.low, gain.high, gain.p, gain.holm,
        )  # fmt: skip
        assert min(gain.differences) <= bootstrap[0] <= gain.mean <= bootstrap[1]
        assert bootstrap[1] <= max(gain.differences)


def test_a_share_of_the_potential(workdir):
    assert potentials.table(results.read(workdir), None).rows == ()
    for seed, value in enumerate((0.96, 0.98)):
        write_potential(workdir, "res14", seed, value)
    work = results.read(workdir)
    assert len(work.results) == 144
    (row,) = potentials.table(work, None).rows
    model, whole, own, random = row
    assert model.text == "res14"
    assert whole.text == "97.0 ± 1.4"
    assert whole.sources == tuple(f"deployments/res14.on.all.s{s}/result.json" for s in range(2))
    (grid,) = grids.build(work)
    for item, cell in ((own, grid.rows[1][1]), (random, grid.rows[1][3])):
        assert item.numbers == pytest.approx((cell.mean, cell.mean / 97))


def test_classes_are_paired_and_absent_ones_left_out(tmp_path):
    workdir = write_work(tmp_path, seeds=2, cycles=2, dataset={"classes": ["a", "b", "c"]})
    assert classes.table(results.read(workdir)).rows == ()
    for seed in range(2):
        place = ("res8", None, "random", seed, 1, 287, 0.5)
        write_result(workdir, *place, classes=[0.5, 0.1 * seed, None])
        place = ("res8", "res14", "entropy", seed, 1, 287, 0.5)
        write_result(workdir, *place, classes=[0.6, 0.3, None])
    items = by_name(classes.table(results.read(workdir)))
    assert items.keys() == {"a", "b"}
    assert items["a"]["random"].numbers == (50.0, 2)
    assert items["a"]["entropy"].numbers == (pytest.approx(10.0), 2)
    assert items["b"]["entropy"].numbers == (pytest.approx(25.0), 2)  # 30 and 20


def test_generations_take_over_and_hand_on(tmp_path):
    assert list(generations.turns(["a", "b", "c"], 10)) == [("a", 0, 3), ("b", 3, 6), ("c", 6, 9)]
    assert list(generations.turns(["a", "b"], 3)) == [("a", 0, 1), ("b", 1, 2)]
    assert list(generations.turns(["a", "b", "c"], 3)) == [("b", 0, 1), ("c", 1, 2)]
    workdir = write_work(tmp_path, lineages={"line": ["res8", "res20"]})
    work = results.read(workdir)
    first, second = generations.generations(work, "line", "entropy")
    assert (first.model, first.start, first.end) == ("res8", 29, 144)
    assert (second.model, second.start, second.end) == ("res20", 144, 287)
    assert first.first.runs == tuple(f"res8.on.random.s{s}.c00" for s in range(3))
    assert first.first.gain is None  # it is random itself
    assert first.last.runs == tuple(f"res8.on.line.entropy.s{s}.c04" for s in range(3))
    assert second.first.runs == tuple(f"res20.on.line.entropy.s{s}.c04" for s in range(3))
    random = [100 * work.results[f"res20.on.random.s{s}.c09"].value for s in range(3)]
    assert second.last.gain.mean == pytest.approx(second.last.mean - sum(random) / 3)


def test_a_lineage_that_was_not_run_shows_as_missing(tmp_path):
    workdir = write_work(tmp_path, seeds=1, cycles=4, lineages={"line": ["res8", "res20"]})
    for path in (workdir / "deployments").glob("*.on.line.*"):
        shutil.rmtree(path)
    first, second = lineage.table(results.read(workdir), "line").rows
    assert first[3].text != MISSING  # the random start was trained
    assert [item.text for item in second[3:]] == [MISSING, MISSING, "287", MISSING, MISSING]
    assert second[3].numbers == (None, None, 0)


TABLE = Table(
    "some", "Some", "What it is: 5 % & more.",
    (Head("who"), Head("result", ("mean", "std")), Head("note")),
    (
        (Cell("a|b"), Cell("1.5 ± 0.2\n2 of 3 seeds", (1.5, 0.2), ("x/1", "x/2")), Cell("")),
        (Cell("c_d"), Cell(MISSING, (None, None)), Cell("5 %", (), ("x/1",))),
    ),
)  # fmt: skip


def test_tables_as_files():
    assert read(writers.csv(TABLE)) == [
        ["who", "result mean", "result std", "note", "sources"],
        ["a|b", "1.5", "0.2", "", "x/1 x/2"],
        ["c_d", "", "", "5 %", "x/1"],
    ]
    lines = writers.markdown(TABLE).splitlines()
    assert lines[2] == r"| a\|b | 1.5 ± 0.2<br>2 of 3 seeds |  |"
    assert lines[-1] == TABLE.caption
    source = writers.latex(TABLE)
    assert r"c\_d & -- & 5 \%" in source
    assert r"1.5 $\pm$ 0.2 \\ {2 of 3 seeds}" in source
    assert source.count(r"\begin{tabular}") == source.count(r"\end{tabular}") == 2


def test_amounts_say_what_was_not_recorded():
    assert amount({}).text == "not recorded"
    assert amount({}).numbers == (None, None, 0)
    assert amount({0: 1.0}) == Cell("1.00", (1.0, None, 1), ())
    assert amount({0: 1.0, 2: 2.0}).text == "1.50 ± 0.71"
