"""A study: from a config to its grid of runs, in order, each resumed where it stands."""

import contextlib
from pathlib import Path
from typing import Any

from salx import (
    cycle,
    data,
    deploy,
    grid,
    models,
    parallel,
    peers,
    pool,
    runs,
    selection,
    step,
    tasks,
)
from salx.deploy import Setting
from salx.errors import InputError, unknown
from salx.telemetry import Board, check_events


def run(config: dict[str, Any], workdir: Path) -> None:
    """Does what of the study's grid is not done yet.

    Raises InputError before any training for what cannot be used, RunError where a run stops.
    """
    setting = check(config, workdir)
    with runs.held(workdir) if peers.is_first() else contextlib.nullcontext():
        peers.once(describe, setting)
        check_shared(workdir)
        work, chains = grid.grid(config), {}
        with progress(setting) as board:
            setting = setting._replace(board=board)
            for job in work.selections:
                chains[job] = cycle.run(setting, job)
            for job in work.deployments:
                if not peers.once(grid.is_done, workdir, job):
                    deploy.run(setting, job, chains.get(job.selection, ()))


def check(config: dict[str, Any], workdir: Path) -> Setting:
    """Everything that can be known before training. Raises InputError naming the field."""
    dataset = data.load(config["dataset"], config["transform"])
    peers.check_alike({"config": config, "data": dataset.fingerprint})
    built = {
        label: models.build(label, options, dataset) for label, options in config["models"].items()
    }
    policies = {
        name: selection.build(name, config["options"].get(name, {}))
        for name in ("random", *config["policies"])
    }
    for name in set(config["options"]) - set(selection.POLICIES):
        raise unknown("policy in config.options", name, selection.POLICIES)
    if config["train"]["schedule"] not in step.SCHEDULES:
        raise unknown("config.train.schedule", config["train"]["schedule"], step.SCHEDULES)
    first = pool.budgets(len(dataset.pool), config["budget"], config["cycles"])[0]
    size = config["train"]["batch"]
    if size > first:
        raise InputError(
            f"config.train.batch={size} is above the {first} examples that are labelled first "
            f"({config['budget']:g} of {len(dataset.pool)} in {config['cycles']} cycles)"
        )
    parallel.check_batch("train.batch", size, config["train"]["accumulate"])
    for field in ("score", "evaluate"):
        parallel.check_batch(f"{field}.batch", config[field]["batch"])
    if config["telemetry"]["tensorboard"]:
        check_events()
    recipe = step.Recipe(**config["train"])
    return Setting(config, workdir, dataset, built, policies, recipe, Board())


def check_shared(workdir: Path) -> None:
    """Raises InputError in a process that does not see what process 0 has written; the others
    wait until all have looked."""
    if not (workdir / "study.json").exists():
        raise InputError(
            f"--workdir={workdir} must be one folder that all processes share: "
            f"process {peers.here.index} does not see the files of process 0"
        )
    peers.meet("shared")


def progress(setting: Setting) -> Board:
    """A board that knows how many runs and steps of the grid remain; process 0 alone shows it."""
    if not peers.is_first():
        return Board()
    config = setting.config
    size = len(setting.dataset.pool)
    sizes = pool.budgets(size, config["budget"], config["cycles"])
    jobs = grid.grid(config).trainings
    open_jobs = [job for job in jobs if not grid.is_done(setting.workdir, job)]
    steps = sum(setting.recipe.total_steps(grid.labelled(job, sizes, size)) for job in open_jobs)
    return Board(len(jobs), len(jobs) - len(open_jobs), steps, config["telemetry"]["progress"])


def describe(setting: Setting) -> None:
    """Writes study.json: the resolved config and the facts that a reader of W needs."""
    config, dataset = setting.config, setting.dataset
    metric, unit = tasks.METRICS[dataset.task]
    facts = {
        "config": config,
        "dataset": {
            "name": dataset.name,
            "task": dataset.task,
            "about": dataset.about,
            "classes": dataset.classes,
            "pool": len(dataset.pool),
            "val": len(dataset.val),
            "fingerprint": dataset.fingerprint,
        },
        "budgets": pool.budgets(len(dataset.pool), config["budget"], config["cycles"]),
        "deploy_cycles": grid.deploy_cycles(config),
        "models": {
            label: {"parameters": models.parameters(model)}
            for label, model in setting.models.items()
        },
        "metric": metric,
        "unit": unit,
    }
    held = grid.held_study(setting.workdir)
    if held and held["dataset"]["fingerprint"] != dataset.fingerprint:
        raise InputError(f"--workdir={setting.workdir} holds a study of other data: fingerprint")
    runs.write_json(setting.workdir / "study.json", facts)
