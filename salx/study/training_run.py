"""One deployment run: train a model on what a selection chose, measure it, leave a result.

A surrogate in its next cycle is such a deployment too: of what it has chosen so far.
"""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from salx import records, run_folder, tasks
from salx.infra import checkpoint, multihost, sealed
from salx.infra.checkpoint import Checkpoints
from salx.infra.errors import InputError, located
from salx.infra.progress import Journal
from salx.infra.version import code_version
from salx.models import model as networks
from salx.records import Record
from salx.study.context import StudyContext
from salx.study.grid import Deployment
from salx.training.loop import Training, Watcher
from salx.training.step import Trained, TrainState


@dataclass(frozen=True)
class Finished:
    """Hold what a finished run leaves.

    Attributes:
      variables: of the trained model, in host memory: a pytree of arrays.
      result: the content of result.json.
    """

    variables: dict[str, Any]
    result: dict[str, Any]


def run(study: StudyContext, job: Deployment, chain: Sequence[Record]) -> Finished:
    """Train to the end, or go on where an earlier process stopped, and measure.

    Args:
      study: what the run shares with others.
      job: which run.
      chain: the records of its selection, up to its cycle at least.

    Returns:
      The trained model and its result.

    Raises:
      RunError: with run, cycle, step and example key, for a loss that is not finite.
      InputError: for damaged files and a run that another process holds.
    """
    with multihost.held(job.folder(study.workdir)):
        return _go_on(study, job, chain)


def _go_on(study: StudyContext, job: Deployment, chain: Sequence[Record]) -> Finished:
    """`run` in a folder that is held."""
    folder = job.folder(study.workdir)
    whole = job.selection.policy == "all"
    size = len(study.dataset.pool)
    ids = np.arange(size) if whole else records.labelled(chain[: job.cycle + 1])
    multihost.run_on_main(run_folder.claim, folder, _identity(study, job, ids))
    path = folder / "result.json"
    before = multihost.run_on_main(run_folder.result, folder)
    training = _training_of(study, job, ids)
    # The last checkpoint is still being written while the model is measured.
    where = f"run {job.name}, cycle {job.cycle}"
    with located(where), Checkpoints(folder / "checkpoint", bool(before)) as checkpoints:
        began = time.monotonic()
        state = _fit(study, job, training, checkpoints)
        seconds = time.monotonic() - began
        variables = jax.device_get(state.variables)
        saved = {"step": int(state.step), "digest": checkpoint.digest(variables)}
        if before and before["checkpoint"] != saved:
            raise InputError(f"{checkpoints.folder}: damaged: not the one of {path}")
        result = before or _measure(study, job, training, variables, saved, seconds)
    if not before:
        multihost.run_on_main(sealed.write_json, path, result)
        if multihost.is_main():
            study.observer.training_finished(job.name, result)
    return Finished(variables, result)


def _training_of(study: StudyContext, job: Deployment, ids: np.ndarray) -> Training:
    """The training of a run, on the pool's examples `ids`."""
    head = study.policies[job.head].needs.head if job.head else None
    what = Trained(
        study.models[job.model], study.config.recipe(job.model), study.dataset.task, head
    )
    return Training(what, study.dataset, ids, job.selection.seed, job.weights)


def _measure(
    study: StudyContext,
    job: Deployment,
    training: Training,
    variables: dict[str, Any],
    saved: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """The content of result.json: the validation split's verdict on the trained model.

    `saved` is the checkpoint, {"step", "digest"}; `seconds` is what the training took.
    """
    began, recipe = time.monotonic(), training.what.recipe
    surrogate, policy, seed = job.selection
    whole = policy == "all"
    arrays = {name: variables[name] for name in ("params", "batch_stats")}
    value = study.evaluator.evaluate(
        training.what.model, arrays, study.dataset, study.config.evaluate.batch, recipe.readers
    )
    return {
        "run": job.name,
        "deployment": job.model,
        "surrogate": surrogate,
        "policy": None if whole else policy,
        "head": job.head or None,
        "seed": seed,
        "cycle": None if whole else job.cycle,
        "labelled": len(training.ids),
        "steps": saved["step"],
        "epochs": saved["step"] * recipe.batch / len(training.ids),
        **value,
        "seconds": {
            "train": round(seconds, 3),
            "evaluate": round(time.monotonic() - began, 3),
        },
        "checkpoint": saved,
        "environment": _environment(),
    }


class _Journaled(Watcher):
    """Writes a training's metrics.jsonl, and tells the study's observer; on the main process."""

    def __init__(self, study: StudyContext, job: Deployment):
        self.study, self.job = study, job
        self.journal: Journal | None = None

    def started(self, step: int, total: int) -> None:
        """Open the journal at the step."""
        folder, config = self.job.folder(self.study.workdir), self.study.config
        due = step - step % config.recipe(self.job.model).log_every
        self.journal = Journal(folder, step, config.telemetry.tensorboard, due)
        cycle = f"{self.job.cycle + 1} of {config.cycles}"
        self.study.observer.training_started(self.job.name, cycle, step, total)

    def logged(self, step: int, metrics: dict[str, float]) -> None:
        """Write a line."""
        assert self.journal
        self.journal.write(step, metrics)
        self.study.observer.training_logged(self.job.name, step, metrics)

    def close(self) -> None:
        """Close the journal."""
        if self.journal:
            self.journal.close()


def _fit(
    study: StudyContext, job: Deployment, training: Training, checkpoints: Checkpoints
) -> TrainState:
    """Train, with a journal and the observer looking on."""
    if not multihost.is_main():
        return study.trainer.fit(training, checkpoints)
    watcher = _Journaled(study, job)
    try:
        return study.trainer.fit(training, checkpoints, watcher)
    finally:
        watcher.close()


def _identity(study: StudyContext, job: Deployment, ids: np.ndarray) -> dict[str, Any]:
    """What makes this run the one it is, as its config.json keeps it."""
    dataset, recipe = study.dataset, study.config.recipe(job.model)
    return {
        "run": job.name,
        "model": model_identity(study, job.model),
        "data": data_identity(study),
        "input": {
            "task": tasks.reference(dataset.task),
            "classes": dataset.classes,
            "shape": dataset.image_shape,
            "mean": dataset.mean,
            "std": dataset.std,
            "transform": study.config.transform.to_dict(),
        },
        "train": recipe.outcome(),
        "head": {job.head: _policy_identity(study, job.head)} if job.head else None,
        "seed": job.selection.seed,
        **({"weights": job.weights} if job.weights else {}),
        "cycle": job.cycle,
        "labelled": sealed.digest(ids.tobytes()),
    }


def _policy_identity(study: StudyContext, label: str) -> dict[str, Any]:
    """A policy's options, and its name where that is not its label."""
    policy = study.policies[label]
    return {**({"name": policy.name} if policy.name != label else {}), **policy.options}


def data_identity(study: StudyContext) -> dict[str, Any]:
    """Describe the data set and its options, and what becomes of its items.

    Args:
      study: whose data it is.

    Returns:
      Plain values, with the data's fingerprint.
    """
    return {
        **study.config.dataset.outcome(),
        "transform": study.config.transform.to_dict(),
        "fingerprint": study.dataset.fingerprint,
    }


def model_identity(study: StudyContext, label: str) -> dict[str, Any]:
    """Describe a model: its label and options, and the digest of the weights that it starts from.

    Args:
      study: whose model it is.
      label: the model's.

    Returns:
      Plain values.
    """
    options = study.config.models[label]
    return {"label": label, **options, **networks.identity(study.models[label])}


def _environment() -> dict[str, Any]:
    """Where a result was computed, without the machine's name."""
    device = jax.devices()[0]
    return {
        "salx": code_version(),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "platform": device.platform,
        "device": device.device_kind,
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "cores": os.cpu_count(),
        "machine": f"{platform.system()}-{platform.machine()}",
    }
