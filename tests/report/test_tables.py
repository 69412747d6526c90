import csv
import io
import re
import shutil
from dataclasses import replace

import pytest

from salx.report import console, formatting, verdict
from salx.report.analysis import grids, statistics
from salx.report.analysis.grids import Pair
from salx.report.load import results
from salx.report.load.types import RANDOM, Column
from salx.report.tables import colours, latex, pairs, writers
from tests.report.work import write_result, write_work


def row(*means):
    columns = [Column(f"m{i}", "entropy") for i in range(len(means) - 1)] + [RANDOM]
    return grids.ranked([Pair("m0", c, n=3, mean=m) for c, m in zip(columns, means, strict=True)])


def ranks(cells):
    return [cell.rank for cell in cells]


def contrast(ink, paper):
    """The WCAG contrast ratio of two colours #rrggbb."""

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([light(ink), light(paper)])
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def table(workdir):
    (table,) = grids.build(results.read(workdir))
    return table


def test_equal_numbers_share_a_rank_and_a_colour():
    cells = row(70.04, 71.0, 69.96, 68.0)
    assert ranks(cells) == [2, 1, 2, 3]  # 70.0 twice, as shown
    assert [cell.shade for cell in cells] == [0.5, 1.0, 0.5, 0.0]


def test_what_is_missing_has_no_rank_and_shifts_none():
    assert ranks(row(None, 71.0, 70.0, None)) == [None, 1, 2, None]
    assert row(None, 71.0, None)[0].shade is None
    assert ranks(row(None, None)) == [None, None]
    assert row(None, 71.0, None)[1].shade == 0.5  # alone it is neither worst nor best


def test_colours_end_where_the_scale_ends_and_are_readable():
    assert colours.colour(0) == "#f5d0ba"
    assert colours.colour(1) == "#a9dbd1"
    for step in range(101):
        assert contrast("#202326", colours.colour(step / 100)) > 7
        assert contrast("#e8e8e4", colours.colour(step / 100, colours.DARK)) > 7


def test_cells_are_the_results_of_the_last_cycle(workdir, table):
    work = results.read(workdir)
    runs = [f"res14.on.res8.entropy.s{seed}.c09" for seed in range(3)]
    cell = table.rows[1][0]
    assert (cell.deployment, cell.column.surrogate, cell.runs) == ("res14", "res8", tuple(runs))
    assert cell.mean == pytest.approx(sum(100 * work.results[run].value for run in runs) / 3)
    random = [work.results[f"res14.on.random.s{seed}.c09"].value for seed in range(3)]
    assert cell.gain.mean == pytest.approx(cell.mean - 100 * sum(random) / 3)
    assert table.labels == ("res8", "res14", "res20", "random")
    assert [[cell.diagonal for cell in row].index(True) for row in table.rows] == [0, 1, 2]


def test_missing_runs_show_as_missing(workdir):
    for run in ("res14.on.res8.entropy.s1.c09", "res20.on.random.s0.c09"):
        shutil.rmtree(workdir / "deployments" / run)
    for seed in range(3):
        shutil.rmtree(workdir / "deployments" / f"res8.on.res14.entropy.s{seed}.c09")
    work = results.read(workdir)
    (table,) = grids.build(work)
    assert formatting.notes(table.rows[1][0], 3) == ["2 of 3 seeds"]
    assert formatting.notes(table.rows[2][0], 3) == ["2 of 3 paired"]
    assert table.rows[0][1] == Pair("res8", Column("res14", "entropy"))
    assert formatting.spread(table.rows[0][1]) == "\N{EN DASH}"
    assert verdict.done(work) == (139, 144)
    assert "Not finished: 1 of 6 pairs" in verdict.verdict([table])
    assert grids.tally([table])[:2] == (6, 5)


def test_the_verdict_counts_what_the_table_shows(tmp_path):
    measured = {None: 0.90, "res8": 0.92, "res14": 0.89, "res20": 0.91}
    workdir = write_work(tmp_path, seeds=2, cycles=2)
    for seed in range(2):
        for surrogate, value in measured.items():
            for model in ("res8", "res14", "res20"):
                policy = "entropy" if surrogate else "random"
                noise = 0.03 * seed if surrogate == "res20" else 0  # 0.91, 0.94: not sure
                point = (model, surrogate, policy, seed, 1, 287, value + noise)
                write_result(workdir, *point)
    built = grids.build(results.read(workdir))
    text = verdict.verdict(built)
    assert "better than random in 4 of 6 pairs" in text
    # Differences without any spread are sure; 3 of res20's gains (0.01, 0.04) are not.
    assert "two of them beyond chance; two are worse beyond chance" in text
    assert "n = 2 seeds, Holm-corrected for the 9 gains of the grid" in text


def test_one_seed_says_so(tmp_path):
    workdir = write_work(tmp_path, seeds=1, cycles=2)
    (table,) = grids.build(results.read(workdir))
    assert all(cell.std is None for cell in table.pairs)
    assert all(cell.gain.low is None for cell in table.pairs if cell.gain)
    assert all(cell.gain.p is cell.gain.holm is None for cell in table.pairs if cell.gain)
    assert "a single seed each (n = 1)" in verdict.verdict([table])
    assert "no interval" in pairs.caption(table)
    assert "[" not in console.text(table)


def test_each_policy_has_a_table_and_all_share_one_correction(tmp_path):
    workdir = write_work(tmp_path, cycles=2, policies=["entropy", "core_set", "true_loss"])
    work = results.read(workdir)
    built = grids.build(work)
    assert [table.policy for table in built] == ["entropy", "core_set", "true_loss"]
    assert {table.labels for table in built} == {("res8", "res14", "res20", "random")}
    gains = [cell.gain for table in built for cell in table.pairs if cell.gain]
    assert [gain.holm for gain in gains] == statistics.holm([gain.p for gain in gains])
    text = verdict.verdict(built)
    assert "a surrogate's entropy or core-set is" in text
    assert "of 12 pairs" in text  # true loss knows the labels, so it is not counted
    assert "for the 27 gains" in text


def test_decimals_follow_the_size_of_the_validation_split(tmp_path):
    workdir = write_work(tmp_path, seeds=1, cycles=2, dataset={"val": 2000})
    (table,) = grids.build(results.read(workdir))
    assert re.search(r"\d\d\.\d\d\b", console.text(table))
    assert ranks(grids.ranked([replace(c, rank=None) for c in row(11.30, 11.26)], 2)) == [1, 2]


def test_areas_are_means_over_the_budget_and_need_every_point(workdir):
    shutil.rmtree(workdir / "deployments" / "res14.on.res8.entropy.s1.c04")
    work = results.read(workdir)
    (table,) = grids.build(work, measure=grids.area)
    cell = table.rows[1][0]
    assert cell.n == 2
    for seed, height in zip(
        (0, 2), grids.area(work, "res14", cell.column, 9)[0].values(), strict=True
    ):
        runs = ["res14.on.random.s{}.c00", "res14.on.res8.entropy.s{}.c04"]
        runs.append("res14.on.res8.entropy.s{}.c09")
        first, middle, last = (100 * work.results[run.format(seed)].value for run in runs)
        left, right = 144 - 29, 287 - 144
        expected = (left * (first + middle) / 2 + right * (middle + last) / 2) / (287 - 29)
        assert height == pytest.approx(expected)
    assert cell.gain.n == 2


def test_csv_reads_back_as_the_same_numbers(table):
    lines = list(csv.DictReader(io.StringIO(writers.csv(pairs.listing([table])))))
    assert len(lines) == len(table.pairs)
    for line, cell in zip(lines, table.pairs, strict=True):
        assert (line["deployment"], line["surrogate"] or None) == (
            cell.deployment,
            cell.column.surrogate,
        )
        assert line["runs"].split() == list(cell.runs)
        numbers = [cell.n, cell.mean, cell.std]
        assert [float(line[k]) for k in ("n", "mean", "std")] == pytest.approx(numbers, abs=1e-6)
        if cell.gain:
            read = [float(line[k]) for k in ("gain", "low", "high", "paired", "p", "p_holm")]
            assert read == pytest.approx([*cell.gain[:6]], abs=1e-6)
        else:
            assert line["gain"] == line["low"] == line["high"] == line["p"] == ""


def numbers(text):
    return [float(n) for n in re.findall(r"[-+]?\d+\.\d", text.replace("\N{MINUS SIGN}", "-"))]


def shown(cell):
    gain = [cell.gain.mean, cell.gain.low, cell.gain.high] if cell.gain else []
    return [pytest.approx(value, abs=0.0500001) for value in [cell.mean, cell.std, *gain]]


def test_markdown_reads_back_as_the_shown_numbers(table):
    head, _, *rows = writers.markdown(pairs.main_table(table)).split("\n\n")[0].splitlines()
    assert [name.strip() for name in head.split("|")[2:-1]] == list(table.labels)
    for line, cells in zip(rows, table.rows, strict=True):
        first, *texts = line.split("|")[1:-1]
        assert first.strip() == cells[0].deployment
        assert [numbers(text) for text in texts] == [shown(cell) for cell in cells]


def test_latex_reads_back_as_the_shown_numbers(table):
    lines = (
        writers.latex(pairs.main_table(table))
        .split(r"\midrule")[1]
        .split(r"\bottomrule")[0]
        .strip()
        .splitlines()
    )
    for line, cells in zip(lines, table.rows, strict=True):
        texts = line.replace("$-$", "-").split("&")[1:]
        for text, cell in zip(texts, cells, strict=True):
            colour, content = re.fullmatch(
                r" \\cellcolor\[HTML\]{(\w+)}(.*?)(?: \\\\)?", text
            ).groups()
            assert colour.lower() == colours.colour(cell.shade)[1:]
            assert numbers(content) == shown(cell)
            assert not re.search(r"\\\\\s*\[", content)  # LaTeX would take an argument


def test_latex_escapes():
    assert latex.escape(r"a_b & 5% \ {x}") == r"a\_b \& 5\% \textbackslash{} \{x\}"


@pytest.mark.parametrize("width", [200, 80, 60, 40])
def test_the_console_table_stays_within_its_width(table, width):
    text = console.text(table, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert all(formatting.number(cell.mean) in text for cell in table.pairs)
