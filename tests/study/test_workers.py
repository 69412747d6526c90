"""Several commands on one work folder, each with its share; and what a plan says before."""

import os
import random
import re
import shutil
import signal
import time
from dataclasses import replace

import pytest

from salx.infra import sealed
from salx.study import grid, work_folder
from salx.study.grid import GridSpec
from salx.study.study import Study
from tests.builders import content, quiet
from tests.processes import start


def holder(folder) -> str:
    lock = folder / ".lock"
    return lock.read_text() if lock.exists() else ""


def times(workdir):
    """When each file of a run was written."""
    paths = [*workdir.glob("selections/*/*.json*"), *workdir.glob("deployments/*/*.json*")]
    return {path: path.stat().st_mtime_ns for path in paths}


def told(printed: str) -> dict[str, list[int]]:
    """The whole numbers of each line of a plan, by its first word."""
    lines = [line.split(None, 1) for line in printed.splitlines() if " " in line]
    number = r"(?<![\w.,])[\d,]*\d(?![\w.%/])"
    return {
        first: [int(found.replace(",", "")) for found in re.findall(number, rest)]
        for first, rest in lines
    }


def test_a_plan_agrees_with_what_the_study_then_does(finished, salx, tmp_path):
    workdir, _ = finished
    process = salx(tmp_path / "w", "--plan=2", "--step_seconds=a=3600,b=7200")
    assert process.returncode == 0, process.stderr
    assert not (tmp_path / "w").exists()
    plan = told(process.stdout)
    results = [sealed.read_json(path) for path in workdir.glob("deployments/*/result.json")]
    steps = sum(result["steps"] for result in results)
    passes = workdir.glob("selections/*.entropy.*/cycle_*.json")
    scored = sum(sealed.read_json(path)["images"] for path in passes)
    assert plan["selections"] == [6, 6]
    assert plan["trainings"][:2] == [len(results), len(results)]
    assert plan["sharing"][1] == plan["sharing"][0] - len(results)
    assert plan["all"][:4] == [len(results), steps, 8 * steps, scored + 360 * len(results)]
    workers = zip(plan["0/2"][:5], plan["1/2"][:5], strict=True)
    assert [sum(parts) for parts in workers] == [4, *plan["all"][:4]]


def test_the_plan_of_a_finished_study_has_nothing_to_do_and_knows_its_times(finished, salx):
    process = salx(finished[0], "--plan")
    assert process.returncode == 0, process.stderr
    plan = told(process.stdout)
    assert plan["selections"] == [6, 0]
    assert plan["trainings"][1] == plan["all"][0] == 0
    more = salx(finished[0], "--plan", "--config.seeds=3")
    plan = told(more.stdout)
    assert plan["selections"] == [9, 3]
    assert plan["trainings"][0] == 3 * plan["trainings"][1]  # of three seeds one is new
    assert "no step times are known" not in more.stdout


def test_more_models_add_only_what_is_new(finished, small, tmp_path):
    """The new one also has steps of its own."""
    workdir = tmp_path / "w"
    shutil.copytree(finished[0], workdir)
    before = times(workdir)
    own = {"name": "cifar_resnet8", "width": 5, "train": {"steps": 6}}
    models = {**small.models, "c": own}
    config = replace(quiet(small), models=models, deployments=("a", "b", "c"))
    work_folder.refuse_other(workdir, config)
    Study(config, workdir).run()
    after = times(workdir)
    assert {path: after[path] for path in before} == before
    new = {path.parent.name for path in after.keys() - before.keys()}
    assert new == {run.name for run in held(config)} - {run.name for run in held(small)}
    for path in workdir.glob("deployments/*/result.json"):
        assert sealed.read_json(path)["steps"] == (6 if path.parent.name[0] == "c" else 12)
    kept = sealed.read_json(workdir / "deployments" / "c.on.random.s0.c00" / "config.json")
    assert kept["train"]["steps"] == 6


def held(config):
    work = grid.grid(GridSpec.of(config, ()))
    return [*work.trainings, *work.selections]


def test_a_report_that_is_drawn_again_trains_nothing(finished, salx, tmp_path):
    workdir = tmp_path / "w"
    shutil.copytree(finished[0], workdir)
    before = times(workdir)
    shutil.rmtree(workdir / "report")
    assert salx(workdir).returncode == 0
    assert (workdir / "report" / "index.html").exists()
    assert times(workdir) == before


def test_two_workers_with_one_share_do_not_work_on_one_run(compiled, salx, small, tmp_path):
    long = ("--worker=0/2", "--config.train.steps=100000")
    first = start(tmp_path, compiled, *long)
    config = replace(small, train=replace(small.train, steps=100000))
    share = Study(config, tmp_path).shares(2)[0]
    chain = next(run for run in share.selections if run.surrogate).folder(tmp_path)
    end = time.monotonic() + 120
    while not holder(chain).startswith(f"process {first.pid} "):
        assert first.poll() is None, first.written()
        assert time.monotonic() < end
        time.sleep(0.01)
    second = salx(tmp_path, *long)
    assert second.returncode == 2
    who = re.escape(f"salx: {chain}: held by process {first.pid} on ")
    assert re.fullmatch(f"{who}.+\n", second.stderr)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == os.EX_TEMPFAIL


@pytest.mark.slow
def test_three_workers_two_of_them_killed_end_like_one(finished, compiled, tmp_path):
    draw, count, kills = random.Random(3), 3, 0
    workers = [start(tmp_path, compiled, f"--worker={index}/{count}") for index in range(count)]
    victims = draw.sample(range(count), 2)
    for index in victims:
        time.sleep(draw.uniform(3.0, 8.0))
        workers[index].send_signal(signal.SIGKILL)
        kills += workers[index].wait() == -signal.SIGKILL
        workers[index] = start(tmp_path, compiled, f"--worker={index}/{count}")
    printed = []
    for worker in workers:
        out, error = worker.communicate(timeout=300)
        assert worker.returncode == 0, error
        printed.append(out)
    assert kills
    assert content(tmp_path) == content(finished[0])
    assert any("report:" in out for out in printed)
    assert (tmp_path / "report" / "index.html").exists()
