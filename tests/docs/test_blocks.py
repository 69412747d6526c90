"""Every block of the README and of the pages runs, or says why it does not."""

import json
import re
from collections import Counter

import pytest

from salx.commands.config_file import ConfigFile
from tests.builders import ROOT
from tests.docs.blocks import HOW, PAGES, RUN, blocks, is_notebook, run, runnable

WATCHED = "docs/watching.md"  # whose blocks have a test of their own

# A config of the repository, wherever a page names one, with its words.
NAMED = sorted(
    {
        name.rstrip(".,:")
        for page in PAGES
        for name in re.findall(
            r"(?:--config=|`)(configs/\w+\.py(?::[\w,]+)?)",
            (ROOT / page).read_text(encoding="utf-8"),
        )
    }
)
TABLED = sorted(
    set(re.findall(r"`(\w+\.py(?::\w+)?)`", (ROOT / "docs/study.md").read_text(encoding="utf-8")))
)


def pages(how):
    """The pages with blocks to be run that are marked so."""
    chosen = [page for page in PAGES if not is_notebook(page) and page != WATCHED]
    return [page for page in chosen if any(block.how in how for block in runnable(page))]


def run_all(page, home, user, how):
    for block in runnable(page):
        if block.how in how:
            run(block, home, user)


@pytest.mark.parametrize("page", pages(("", "dry run")))
def test_the_blocks_of_a_page_run(page, home, user):
    run_all(page, home, user, ("", "dry run"))


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(("slow",)))
def test_the_long_blocks_of_a_page_run(page, home, user):
    run_all(page, home, user, ("", "dry run", "slow"))


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_by_somebody_or_says_why_not(page):
    for block in blocks(page):
        assert block.how in HOW, block
        language = block.language.strip()
        if is_notebook(page):
            assert language == "text" or language.startswith("{"), block
        else:
            assert language in (*RUN, "text") or language.startswith("{"), block
    assert (ROOT / page).read_text(encoding="utf-8").count("\n```") == 2 * len(blocks(page))


@pytest.mark.parametrize("name", [*NAMED, *(f"configs/{name}" for name in TABLED)])
def test_the_configs_that_pages_name_are_there(name):
    file, colon, words = name.partition(":")
    ConfigFile().parse(f"{ROOT / file}{colon}{words}")


@pytest.mark.parametrize("library", ["wandb", pytest.param("mlflow", marks=pytest.mark.slow)])
def test_a_watched_study_logs_each_training(library, home, user):
    (block,) = (each for each in runnable(WATCHED) if f"import {library}" in each.text)
    run(block, home, user)
    calls = [json.loads(line) for line in (home / "calls.jsonl").read_text().splitlines()]
    counts = Counter(call[0] for call in calls)
    trainings = len(list(home.glob("?/deployments/*/result.json")))
    assert counts["init"] == counts["finish"] == trainings > 0
    assert {"accuracy", "loss"} <= {name for call in calls if call[0] == "log" for name in call[3]}
