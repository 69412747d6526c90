"""A study: from a config to its grid of runs, in order, each resumed where it stands."""

import functools
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from salx import tasks
from salx.data import mask_check
from salx.data.sources import example
from salx.infra import mesh, multihost, sealed, storage
from salx.infra.errors import InputError, RunError
from salx.infra.numbers import whole
from salx.infra.progress import check_events
from salx.models.model import parameters
from salx.policies import Policy
from salx.study import grid, partition, plan, selection_run, training_run, work_folder
from salx.study.context import StudyContext
from salx.study.grid import Grid
from salx.training.recipe import Recipe


class Study(StudyContext):
    """Run a study in its work folder, or go on with it, as its config says."""

    def run(self) -> None:
        """Do what is not done yet of the worker's share.

        Raises:
          InputError: before any training, for what cannot be used, and for a run that another
            process is at.
          RunError: where a run stops, naming run, cycle and step.
        """
        self.check()
        multihost.run_on_main(_check_masks, self)
        with multihost.held(self.workdir, wait=True):
            multihost.run_on_main(_describe, self)
        _check_shared(self.workdir)
        work, chains = self.share(), {}
        try:
            if multihost.is_main():
                self._announce(work)
            for job in work.selections:
                chains[job] = selection_run.run(self, job)
            for job in work.deployments:
                if not multihost.run_on_main(work_folder.is_done, self.workdir, job):
                    training_run.run(self, job, chains.get(job.selection, ()))
        finally:
            self.observer.finished()

    def check(self) -> None:
        """Check everything that can be known before training.

        Raises:
          InputError: naming the field.
        """
        self.check_parts()  # before the data, which may take long to list
        facts = {"config": self.config.to_dict(), "data": self.dataset.fingerprint}
        multihost.check_alike({**facts, "worker": self.worker})
        _check_validation(self)
        _check_policies(self)
        _check_training(self, "train", self.config.train)
        for label in self.models:
            _check_training(self, f"models.{label}.train", self.config.recipe(label))
        for name in ("score", "evaluate"):
            mesh.check_batch(f"{name}.batch", getattr(self.config, name).batch)
        if self.config.telemetry.tensorboard:
            check_events()

    def plan(self, workers: int = 1, step_seconds: Mapping[str, float] | None = None) -> str:
        """Tell what there is to do, and do nothing. It needs the data, but no weights.

        Args:
          workers: how many share the study.
          step_seconds: by model, seconds of one device in a training step; of other models they
            are taken from finished runs in the work folder.

        Returns:
          Text: a summary of the runs, and a table of what they take by model, and by worker.

        Raises:
          InputError: for what a study refuses.
        """
        whole("workers", workers, 1, partition.MOST_WORKERS)
        self.check_parts()  # also what a plan has no need of
        blank = {
            label: {name: value for name, value in options.items() if name != "pretrained"}
            for label, options in self.config.models.items()
        }
        study = Study(replace(self.config, models=blank), self.workdir, self.worker)
        study.check()
        work_folder.refuse_other_data(self.workdir, study.dataset.fingerprint)
        work, shares = grid.grid(study.spec), study.shares(workers)
        return plan.text(study, work, shares if workers > 1 else [], step_seconds or {})

    def share(self) -> Grid:
        """List the runs of this worker.

        Returns:
          Its share of the grid.
        """
        index, count = self.worker
        return self.shares(count)[index]

    def shares(self, count: int) -> list[Grid]:
        """Share the grid out over workers, always in the same way.

        Args:
          count: how many workers.

        Returns:
          The runs of each.
        """
        work = grid.grid(self.spec)
        if count == 1:
            return [work]
        cost = functools.partial(partition.operations, self.cost_model())
        return partition.split(self.spec, work, count, cost)

    def _announce(self, work: Grid) -> None:
        """Tell the observer how many runs and steps of the share remain."""
        jobs, pool = work.trainings, len(self.dataset.pool)
        left = [job for job in jobs if not work_folder.is_done(self.workdir, job)]
        steps = sum(
            self.config.recipe(job.model).total_steps(grid.labelled(job, self.budgets, pool))
            for job in left
        )
        self.observer.study_started(len(jobs), len(jobs) - len(left), steps)


def _check_validation(study: Study) -> None:
    """Raise InputError for data that nothing can be measured on: no validation images, or a first
    one that cannot be read."""
    dataset = study.dataset
    if not len(dataset.val):
        looked = f": {dataset.validation}" if dataset.validation else ""
        raise InputError(
            f"config.dataset: data set {dataset.name!r} has no validation images, on which a "
            f"study measures{looked}"
        )
    try:
        example(dataset.val, 0)
    except RunError as error:
        raise InputError(f"config.dataset: validation: {error}") from error


def _check_policies(study: Study) -> None:
    """Raise InputError for policies that the study's data or surrogates cannot serve."""
    config = study.config
    for label in config.policies:
        policy = study.policies[label]
        needs = policy.needs
        if policy.oracle and not study.dataset.classes:
            raise InputError(f"config.policies: {label!r} needs labels, and the pool has none")
        if needs.columns:
            raise InputError(
                f"config.policies: {label!r} needs the columns {', '.join(needs.columns)}, and "
                f"data set {study.dataset.name!r} has none"
            )
        if needs.labels and study.dataset.task.dense:
            raise InputError(f"config.policies: {label!r} needs one label an image")
        if needs.head and config.ensembles.keys() & set(config.surrogates):
            raise InputError(
                f"config.policies: {label!r} trains a module along with its surrogate, which an "
                "ensemble cannot have"
            )


def _check_training(study: Study, section: str, recipe: Recipe) -> None:
    """Raise InputError for a config.train, or what a model makes of it, that the data or the
    devices do not allow."""
    first, config = study.budgets[0], study.config
    if recipe.batch > first:
        raise InputError(
            f"config.{section}.batch={recipe.batch} is above the {first} examples that are "
            f"labelled first ({config.budget:g} of {len(study.dataset.pool)} in {config.cycles} "
            "cycles)"
        )
    mesh.check_batch(f"{section}.batch", recipe.batch, recipe.accumulate)


def _check_masks(study: Study) -> None:
    """Raise InputError for masks that cannot be used; a study that goes on has looked at them."""
    if not work_folder.held_study(study.workdir):
        mask_check.check(study.dataset)


def _check_shared(workdir: Path) -> None:
    """Raise InputError in a process that does not see what the main one writes just now; the
    others wait until all have looked."""
    if multihost.process.count == 1:
        return
    sign = workdir / multihost.run_on_main(_left_sign, workdir)
    if not sign.exists():
        raise InputError(
            f"--workdir={workdir} must be one folder that all processes share: "
            f"process {multihost.process.index} does not see the files of process 0"
        )
    multihost.barrier("shared")
    if multihost.is_main():
        sign.unlink()


def _left_sign(workdir: Path) -> str:
    """Write an empty file of a name that was never there; return it."""
    name = f".shared-{uuid.uuid4().hex}"
    storage.write_file(workdir / name, b"")
    return name


def _describe(study: Study) -> None:
    """Write study.json: the resolved config and the facts that a reader of the folder needs."""
    config, dataset = study.config, study.dataset
    work_folder.refuse_other_data(study.workdir, dataset.fingerprint)
    facts = {
        "config": config.to_dict(),
        "dataset": {
            "name": dataset.name,
            "task": tasks.reference(dataset.task),
            "about": dataset.about,
            "classes": dataset.classes,
            "pool": len(dataset.pool),
            "val": len(dataset.val),
            "fingerprint": dataset.fingerprint,
        },
        "budgets": study.budgets,
        "deploy_cycles": grid.deploy_cycles(study.spec),
        "models": {label: {"parameters": parameters(m)} for label, m in study.models.items()},
        "policies": {label: policy_facts(p) for label, p in study.policies.items()},
        "metric": dataset.task.metric,
        "unit": dataset.task.unit,
    }
    sealed.write_json(study.workdir / "study.json", facts)


def policy_facts(policy: Policy) -> dict[str, Any]:
    """Take what a report shows of a policy, so that it needs no code of it.

    Args:
      policy: any policy.

    Returns:
      {"name", "title", "unit", "marker", "oracle", "head"}.
    """
    return {
        "name": policy.name,
        "title": policy.title or policy.name.replace("_", " "),
        "unit": policy.unit,
        "marker": policy.marker,
        "oracle": policy.oracle,
        "head": policy.needs.head is not None,
    }
