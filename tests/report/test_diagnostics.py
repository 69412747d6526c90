"""What surrogates are like, from scores and picks whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from salx import records
from salx.infra import sealed
from salx.infra.errors import InputError
from salx.report.analysis import diagnostics, grids, measures, statistics
from salx.report.figures import histograms
from salx.report.load import results, selections
from salx.report.load.selections import Scores
from salx.report.load.types import RANDOM, Column
from salx.report.tables import surrogates
from tests.report.work import DATA, KEYS, study, write_work

MODELS = ("res8", "res14", "res20")


@pytest.fixture
def work(workdir):
    return results.read(workdir)


@pytest.fixture
def selected(workdir, work):
    return selections.read(workdir, work.study)


@given(st.lists(st.floats(0, 9, width=32), min_size=2, max_size=60))
def test_separation_is_the_gap_in_standard_deviations(values):
    order = sorted(values, reverse=True)
    count = max(1, round(len(order) / 10))
    gap = np.mean(order[:count]) - np.mean(order[count:])
    spread = np.std(np.array(values, np.float64))
    expected = gap / spread if spread else 0
    assert measures.separation(np.array(values, np.float32)) == pytest.approx(expected, abs=1e-6)


@given(st.frozensets(st.integers(0, 9)), st.frozensets(st.integers(0, 9)))
def test_jaccard(a, b):
    both, either = sum(i in b for i in a), len({*a, *b})
    assert measures.jaccard(a, b) == (both / either if either else 1)


def test_class_balance():
    assert measures.balance([3, 3, 3, 3]) == pytest.approx(1)
    assert measures.balance([5, 0, 0]) == 0
    assert measures.balance([1, 3]) == pytest.approx(
        -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    )
    assert measures.balance([]) is measures.balance([0, 0]) is measures.balance([7]) is None


def test_agreement_is_over_the_examples_that_both_scored():
    a = Scores(np.array([1, 2, 5, 7, 9]), np.array([0.1, 0.2, 0.9, 0.3, 0.4], np.float32))
    b = Scores(np.array([2, 3, 5, 7, 9]), np.array([5, 0, 1, 9, 7], np.float32))
    expected = stats.spearmanr([0.2, 0.9, 0.3, 0.4], [5, 1, 9, 7]).statistic
    assert measures.agreement(a, b) == pytest.approx(expected)
    assert measures.agreement(a, a) == pytest.approx(1)
    assert measures.agreement(a, Scores(a.ids, np.zeros(5, np.float32))) is None


def chosen(workdir, column, seed):
    """What a selection chose past the random start, read by hand."""
    folder = workdir / "selections" / column.selection(seed)
    return {int(i) for c in range(1, 10) for i in records.read(records.record_path(folder, c)).ids}


def test_traits_are_those_of_the_files(workdir, work, selected):
    column = Column("res14", "entropy")
    own = diagnostics.traits(work, selected, column)
    with np.load(workdir / "selections/res14.entropy.s2/scores_01.npz") as arrays:
        scores = arrays["scores"].astype(np.float64)
    assert own["mean"].values[2] == pytest.approx(scores.mean())
    assert own["spread"].values[2] == pytest.approx(scores.std())
    assert own["mean"].sources[2] == "selections/res14.entropy.s2/scores_01.npz"
    start = work.results["res14.on.random.s1.c00"].value
    end = work.results["res14.on.res14.entropy.s1.c09"].value
    assert own["start"].values[1] == pytest.approx(100 * start)
    assert own["end"].values[1] == pytest.approx(100 * end)
    sets = {model: chosen(workdir, Column(model, "entropy"), 0) for model in MODELS}
    pairs = [len(sets["res14"] & sets[m]) / len(sets["res14"] | sets[m]) for m in ("res8", "res20")]
    assert own["overlap"].values[0] == pytest.approx(sum(pairs) / 2)
    for field in ("ece", "balance", "duplicates"):
        assert own[field].values == {}
    for trait in own.values():
        assert all((workdir / source).is_file() for source in trait.sources)


def test_what_runs_record_of_their_picks(tmp_path):
    workdir = write_work(tmp_path, recorded=True, seeds=1, cycles=3)
    work = results.read(workdir)
    selected = selections.read(workdir, work.study)
    own = diagnostics.traits(work, selected, Column("res8", "entropy"))
    passes = [
        sealed.read_json(workdir / f"selections/res8.entropy.s0/cycle_0{c}.json") for c in (1, 2)
    ]
    counts = np.sum([p["picked"]["classes"] for p in passes], axis=0)
    assert own["balance"].values[0] == pytest.approx(stats.entropy(counts, base=len(counts)))
    assert own["duplicates"].values[0] == pytest.approx(10)
    assert diagnostics.pool_balance(selected) == pytest.approx(1)
    ece = sealed.read_json(workdir / "deployments/res8.on.random.s0.c00/result.json")["ece"]
    assert own["ece"].values[0] == pytest.approx(100 * ece)


def test_overlap_has_random_as_what_chance_gives(workdir, work, selected):
    sheet = surrogates.overlap_table(work.study, "entropy", selected)
    expected = [
        measures.jaccard(
            chosen(workdir, RANDOM, seed), chosen(workdir, Column("res8", "entropy"), seed)
        )
        for seed in range(3)
    ]
    item = sheet.rows[3][1]
    assert item.numbers == pytest.approx((np.mean(expected), np.std(expected, ddof=1), 3))
    assert sheet.rows[1][2].text == ""
    assert sheet.rows[0][2].numbers == sheet.rows[1][1].numbers


def test_a_diagnostic_that_orders_the_gains_foretells_them(work, selected):
    (grid,) = grids.build(work)
    gains = {
        model: np.mean(
            [c.gain.mean for c in grid.pairs if c.column.surrogate == model and not c.diagonal]
        )
        for model in MODELS
    }
    order = sorted(MODELS, key=gains.get)
    traits = {
        model: {"spread": diagnostics.Trait({0: 1.0 + place, 1: 1.0 + place}, ())}
        for place, model in enumerate(order)
    }
    rank = diagnostics.correlation_with_gain(grid, traits, "spread")
    assert rank == (pytest.approx(1), pytest.approx(1 / 3), 3)
    del traits[order[0]]["spread"]
    traits[order[0]]["spread"] = diagnostics.Trait({}, ())
    assert diagnostics.correlation_with_gain(grid, traits, "spread") == (None, None, 2)


def test_the_traits_say_when_n_is_too_small(work, selected):
    (grid,) = grids.build(work)
    caption = surrogates.trait_table(work, grid, selected).caption
    assert "n = 3 is too small: even a perfect order has p = 0.33" in caption
    assert "n = 4 is too small" in surrogates.power(4)
    for n in (5, 6, 8):
        assert "too small" not in surrogates.power(n)
        if n < 8:
            perfect = statistics.spearman(range(n), range(n)).p
            assert perfect == pytest.approx(2 / math.factorial(n))
            assert perfect < 0.05
    assert "no correlation" in surrogates.power(2)


def test_the_traits_have_each_measure_once(work, selected):
    (grid,) = grids.build(work)
    rows = surrogates.trait_table(work, grid, selected).rows
    names = [row[0].text.split("\n")[0] for row in rows]
    assert names == [*(m.name for m in diagnostics.MEASURES), "gain for others"]
    assert [item.text for item in rows[names.index("calibration error")][1:4]] == [
        "not recorded"
    ] * 3


def test_scores_are_of_the_first_choice(workdir, work):
    (workdir / "selections" / "res8.entropy.s1" / "scores_01.npz").unlink()
    selected = selections.read(workdir, work.study)
    scores = histograms.collected(work.study, selected, "entropy")
    assert [len(scores[model]) for model in MODELS] == [2, 3, 3]
    assert {len(values) for values in scores["res8"]} == {1437 - 29}
    assert scores["res8"][0].dtype == np.float32


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"junk"])
def test_damaged_scores_are_an_error_that_names_them(workdir, work, damage):
    path = workdir / "selections" / "res8.entropy.s0" / "scores_01.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"s0/scores_01\.npz: damaged"):
        selections.read(workdir, work.study)


def test_an_unfinished_selection_has_records_but_no_overlap(workdir, work):
    for cycle in range(4, 10):
        (workdir / "selections" / "res8.entropy.s0" / f"cycle_{cycle:02d}.jsonl").unlink()
    selected = selections.read(workdir, work.study)
    column = Column("res8", "entropy")
    assert (column, 0) not in selected.chosen
    assert (column, 1) in selected.chosen
    assert {cycle for name, cycle in selected.digests if name == "res8.entropy.s0"} == set(range(4))
    own = diagnostics.traits(work, selected, column)
    assert set(own["overlap"].values) == {1, 2}


def test_a_lineage_is_read_like_a_surrogate(tmp_path):
    workdir = write_work(tmp_path, seeds=1, cycles=3, lineages={"line": ["res8", "res14"]})
    made = results.read_study(workdir)
    selected = selections.read(workdir, made)
    assert Column("line", "entropy") in {column for column, _ in selected.chosen}
    assert Column("line", "entropy") not in made.columns


def test_names_that_would_leave_their_folder_are_refused(tmp_path):
    value = study(seeds=1, cycles=2)
    value["config"]["policies"] = ["../../etc"]
    sealed.write_json(tmp_path / "study.json", value)
    with pytest.raises(InputError, match=r"config\.policies"):
        results.read(tmp_path)


def test_the_made_up_records_are_the_real_ones(workdir):
    chain = records.read_chain(workdir / "selections" / "res8.entropy.s0", 10, DATA["fingerprint"])
    assert len(records.labelled(chain)) == 287 < len(KEYS)
