"""A study: from a config to its grid of runs, in order, each resumed where it stands."""

import functools
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from salx import policies, records, tasks
from salx.data import datasets
from salx.infra import mesh, multihost, sealed, storage
from salx.infra.errors import InputError, unknown
from salx.infra.progress import Board, check_events
from salx.models import model as networks
from salx.models.operations import macs
from salx.study import grid, partition, selection_run, training_run
from salx.study.config import training
from salx.study.grid import Grid
from salx.study.partition import CostModel
from salx.study.training_run import Setting
from salx.training import step


def run(config: dict[str, Any], workdir: Path, worker: tuple[int, int] = (0, 1)) -> None:
    """Does what is not done yet of the share of worker (index, count) in the study's grid.

    Raises InputError before any training for what cannot be used, and for a run that another
    process is at; RunError where a run stops.
    """
    setting = check(config, workdir, worker)
    with multihost.held(workdir, wait=True):
        multihost.run_on_main(describe, setting)
    check_shared(workdir)
    index, count = worker
    work, chains = split(setting, count)[index], {}
    with progress(setting, work) as board:
        setting = setting._replace(board=board)
        for job in work.selections:
            chains[job] = selection_run.run(setting, job)
        for job in work.deployments:
            if not multihost.run_on_main(grid.is_done, workdir, job):
                training_run.run(setting, job, chains.get(job.selection, ()))


def split(setting: Setting, count: int) -> list[Grid]:
    """The shares of `count` workers."""
    work = grid.grid(setting.config)
    if count == 1:
        return [work]
    cost = functools.partial(partition.operations, scale(setting))
    return partition.split(setting.config, work, count, cost)


def scale(setting: Setting) -> CostModel:
    """What the effort of the study's runs depends on."""
    config, dataset = setting.config, setting.dataset
    *seen, channels = dataset.image_shape
    crop = config["transform"]["size"]
    trained = crop if config["transform"]["train"] != "none" and any(crop) else seen
    areas = np.prod(trained), np.prod(seen)
    counts = {
        label: macs(model.module, tuple(trained), channels)
        for label, model in setting.models.items()
    }
    return CostModel(
        config=config,
        pool=len(dataset.pool),
        val=len(dataset.val),
        recipes={label: setting.recipe(label) for label in setting.models},
        macs={label: (one, one * areas[1] / areas[0]) for label, one in counts.items()},
    )


def check(config: dict[str, Any], workdir: Path, worker: tuple[int, int] = (0, 1)) -> Setting:
    """Everything that can be known before training. Raises InputError naming the field."""
    dataset = datasets.load(config["dataset"], config["transform"])
    multihost.check_alike({"config": config, "data": dataset.fingerprint, "worker": worker})
    built = {
        label: networks.build(label, options, dataset)
        for label, options in config["models"].items()
    }
    built_policies = {
        name: policies.build(name, config["options"].get(name, {}))
        for name in ("random", *config["policies"])
    }
    for name in set(config["options"]) - set(policies.POLICIES):
        raise unknown("policy in config.options", name, policies.POLICIES)
    check_training("train", config["train"], config, dataset)
    for label in built:
        check_training(f"models.{label}.train", training(config, label), config, dataset)
    for field in ("score", "evaluate"):
        mesh.check_batch(f"{field}.batch", config[field]["batch"])
    if config["telemetry"]["tensorboard"]:
        check_events()
    return Setting(config, workdir, dataset, built, built_policies, Board())


def check_training(
    section: str, own: dict[str, Any], config: dict[str, Any], dataset: datasets.Dataset
) -> None:
    """Raises InputError for a config.train, or what a model makes of it, that the data or the
    devices do not allow."""
    if own["schedule"] not in step.SCHEDULES:
        raise unknown(f"config.{section}.schedule", own["schedule"], step.SCHEDULES)
    first = records.budgets(len(dataset.pool), config["budget"], config["cycles"])[0]
    if own["batch"] > first:
        raise InputError(
            f"config.{section}.batch={own['batch']} is above the {first} examples that are "
            f"labelled first ({config['budget']:g} of {len(dataset.pool)} in {config['cycles']} "
            "cycles)"
        )
    mesh.check_batch(f"{section}.batch", own["batch"], own["accumulate"])


def check_shared(workdir: Path) -> None:
    """Raises InputError in a process that does not see what process 0 writes just now; the
    others wait until all have looked."""
    if multihost.process.count == 1:
        return
    sign = workdir / multihost.run_on_main(left_sign, workdir)
    if not sign.exists():
        raise InputError(
            f"--workdir={workdir} must be one folder that all processes share: "
            f"process {multihost.process.index} does not see the files of process 0"
        )
    multihost.barrier("shared")
    if multihost.is_main():
        sign.unlink()


def left_sign(workdir: Path) -> str:
    """Writes an empty file of a name that was never there; returns it."""
    name = f".shared-{uuid.uuid4().hex}"
    storage.write_file(workdir / name, b"")
    return name


def progress(setting: Setting, work: Grid) -> Board:
    """A board that knows how many runs and steps of the share remain; process 0 alone shows it."""
    if not multihost.is_main():
        return Board()
    config = setting.config
    size = len(setting.dataset.pool)
    sizes = records.budgets(size, config["budget"], config["cycles"])
    jobs = work.trainings
    left = [job for job in jobs if not grid.is_done(setting.workdir, job)]
    steps = sum(
        setting.recipe(job.model).total_steps(grid.labelled(job, sizes, size)) for job in left
    )
    return Board(len(jobs), len(jobs) - len(left), steps, config["telemetry"]["progress"])


def describe(setting: Setting) -> None:
    """Writes study.json: the resolved config and the facts that a reader of W needs."""
    config, dataset = setting.config, setting.dataset
    facts = {
        "config": config,
        "dataset": {
            "name": dataset.name,
            "task": tasks.reference(dataset.task),
            "about": dataset.about,
            "classes": dataset.classes,
            "pool": len(dataset.pool),
            "val": len(dataset.val),
            "fingerprint": dataset.fingerprint,
        },
        "budgets": records.budgets(len(dataset.pool), config["budget"], config["cycles"]),
        "deploy_cycles": grid.deploy_cycles(config),
        "models": {
            label: {"parameters": networks.parameters(model)}
            for label, model in setting.models.items()
        },
        "metric": dataset.task.metric,
        "unit": dataset.task.unit,
    }
    held = grid.held_study(setting.workdir)
    if held and held["dataset"]["fingerprint"] != dataset.fingerprint:
        raise InputError(f"--workdir={setting.workdir} holds a study of other data: fingerprint")
    sealed.write_json(setting.workdir / "study.json", facts)
