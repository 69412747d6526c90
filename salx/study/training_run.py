"""One deployment run: train a model on what a selection chose, measure it, leave a result.

A surrogate in its next cycle is such a deployment too: of what it has chosen so far.
"""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from salx import records, run_folder, tasks
from salx.data.datasets import Dataset
from salx.infra import checkpoint, multihost, progress, sealed, version
from salx.infra.checkpoint import Checkpoints
from salx.infra.errors import InputError, located
from salx.models import model as networks
from salx.models.model import Model
from salx.policies import Policy
from salx.records import Record
from salx.study.config import dataset_science, train_science, training
from salx.study.grid import Deployment
from salx.training import loop
from salx.training.evaluation import evaluate
from salx.training.step import Recipe, TrainState


class Setting(NamedTuple):
    """What all runs of a study share."""

    config: dict[str, Any]
    workdir: Path
    dataset: Dataset
    models: dict[str, Model]
    policies: dict[str, Policy]
    board: progress.Board

    def recipe(self, label: str) -> Recipe:
        """How a model is trained."""
        return Recipe(**training(self.config, label))


def run(setting: Setting, job: Deployment, chain: Sequence[Record]) -> tuple[dict, dict[str, Any]]:
    """Trains to the end, or goes on where an earlier process stopped.

    Returns the model's variables and the content of result.json. Raises RunError with run,
    cycle, step and example key for a loss that is not finite, InputError for damaged files and
    a run that another process holds.
    """
    with multihost.held(job.folder(setting.workdir)):
        return go_on(setting, job, chain)


def go_on(
    setting: Setting, job: Deployment, chain: Sequence[Record]
) -> tuple[dict, dict[str, Any]]:
    """`run` in a folder that is held."""
    folder = job.folder(setting.workdir)
    whole = job.selection.policy == "all"
    size = len(setting.dataset.pool)
    ids = np.arange(size) if whole else records.labelled(chain[: job.cycle + 1])
    multihost.run_on_main(run_folder.claim, folder, identity(setting, job, ids))
    path = folder / "result.json"
    known = multihost.run_on_main(sealed.read_if_there, path)
    where = f"run {job.name}, cycle {job.cycle}"
    # The last checkpoint is still being written while the model is measured.
    with located(where), Checkpoints(folder / "checkpoint") as checkpoints:
        began = time.monotonic()
        state = fit(setting, ids, job, checkpoints)
        seconds = time.monotonic() - began
        variables = jax.device_get(state.variables)
        saved = {"step": int(state.step), "digest": checkpoint.digest(variables)}
        if known and known["checkpoint"] != saved:
            raise InputError(f"{checkpoints.folder}: damaged: not the one of {path}")
        result = known or measure(setting, job, ids, variables, saved, seconds)
    if not known:
        multihost.run_on_main(sealed.write_json, path, result)
    return variables, result


def measure(
    setting: Setting, job: Deployment, ids, variables: dict, saved: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The content of result.json: the validation split's verdict on the trained model."""
    config, began = setting.config, time.monotonic()
    model, size = setting.models[job.model], config["evaluate"]["batch"]
    recipe = setting.recipe(job.model)
    surrogate, policy, seed = job.selection
    whole = policy == "all"
    own = {name: variables[name] for name in ("params", "batch_stats")}
    value = evaluate(model, own, setting.dataset, size, *recipe.readers)
    return {
        "run": job.name,
        "deployment": job.model,
        "surrogate": surrogate,
        "policy": None if whole else policy,
        "head": job.head or None,
        "seed": seed,
        "cycle": None if whole else job.cycle,
        "labelled": len(ids),
        "steps": saved["step"],
        "epochs": saved["step"] * recipe.batch / len(ids),
        **value,
        "seconds": {
            "train": round(seconds, 3),
            "evaluate": round(time.monotonic() - began, 3),
        },
        "checkpoint": saved,
        "environment": environment(),
    }


def fit(setting: Setting, ids: np.ndarray, job: Deployment, checkpoints: Checkpoints) -> TrainState:
    """train.fit, with a journal and the board looking on."""
    config, board, model = setting.config, setting.board, setting.models[job.model]
    head = setting.policies[job.head].head if job.head else None
    journal = None

    def watch(step: int, total: int, metrics: dict[str, float] | None) -> None:
        nonlocal journal
        if not multihost.is_main():
            return
        if metrics is None:
            folder = job.folder(setting.workdir)
            journal = progress.Journal(folder, step, config["telemetry"]["tensorboard"])
            board.start(job.name, f"{job.cycle + 1} of {config['cycles']}", step, total)
        else:
            journal.write(step, metrics)
            board.step(step)

    try:
        seed, data = job.selection.seed, setting.dataset
        recipe = setting.recipe(job.model)
        return loop.fit(model, recipe, data, ids, seed, checkpoints, watch, head)
    finally:
        if journal:
            journal.close()


def identity(setting: Setting, job: Deployment, ids: np.ndarray) -> dict[str, Any]:
    """What makes this run the one it is, as its config.json keeps it."""
    config, dataset = setting.config, setting.dataset
    model = model_identity(setting, job.model)
    return {
        "run": job.name,
        "model": model,
        "data": data_identity(setting),
        "input": {
            "task": tasks.reference(dataset.task),
            "classes": dataset.classes,
            "shape": dataset.image_shape,
            "mean": dataset.mean,
            "std": dataset.std,
            "transform": config["transform"],
        },
        "train": train_science(training(config, job.model)),
        "head": {job.head: setting.policies[job.head].options} if job.head else None,
        "seed": job.selection.seed,
        "cycle": job.cycle,
        "labelled": sealed.digest(ids.tobytes()),
    }


def data_identity(setting: Setting) -> dict[str, Any]:
    """The data set and its options, and what becomes of its items."""
    config = setting.config
    return {
        **dataset_science(config),
        "transform": config["transform"],
        "fingerprint": setting.dataset.fingerprint,
    }


def model_identity(setting: Setting, label: str) -> dict[str, Any]:
    """A model's label and options, and the digest of the weights that it starts from."""
    options = setting.config["models"][label]
    return {"label": label, **options, **networks.identity(setting.models[label])}


def environment() -> dict[str, Any]:
    """Where a result was computed, without the machine's name."""
    device = jax.devices()[0]
    return {
        "salx": version.code_version(),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "platform": device.platform,
        "device": device.device_kind,
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "cores": os.cpu_count(),
        "machine": f"{platform.system()}-{platform.machine()}",
    }
