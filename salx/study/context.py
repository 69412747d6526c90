"""What all runs of a study share: its config, its data, models and policies, what is compiled."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from salx import policies, records
from salx.data import datasets
from salx.data.datasets import Dataset
from salx.infra import storage
from salx.infra.errors import renamed
from salx.infra.observer import Observer
from salx.infra.progress import Terminal
from salx.models.model import Model, build, check_options
from salx.models.operations import macs
from salx.policies import Policy
from salx.scoring.engine import Scorer
from salx.study import config as configs
from salx.study.config import StudyConfig
from salx.study.grid import GridSpec
from salx.study.partition import CostModel, check_worker
from salx.training.evaluation import Evaluator
from salx.training.loop import Trainer

BASELINE = "random"  # the policy of the random column


class StudyContext:
    """Hold a study in its work folder, and all that its runs share, read when it is needed first.

    Args:
      config: a config of `salx.study.config.base()`, changed; or the resolved one.
      workdir: the study's folder, or gs://BUCKET/FOLDER; it is made when the study runs.
      worker: (i, n): do the share of the i-th of n workers, counted from 0.
      observer: hears how the study goes; by default progress is shown on the terminal.

    Raises:
      InputError: naming the field, for what cannot be used, and for a folder of another study.
    """

    def __init__(
        self,
        config: ConfigDict | Mapping[str, Any] | StudyConfig,
        workdir: str | Path,
        worker: tuple[int, int] = (0, 1),
        observer: Observer | None = None,
    ):
        self.config = config if isinstance(config, StudyConfig) else configs.resolve(config)
        self.workdir = storage.resolve(workdir)
        self.worker = check_worker(*worker)
        self.observer = observer or Terminal(self.config.telemetry.progress)
        # What was compiled for the study goes with it.
        self.trainer, self.evaluator, self.scorer = Trainer(), Evaluator(), Scorer()

    @functools.cached_property
    def dataset(self) -> Dataset:
        """Return the data, with its images as evaluation sees them."""
        with renamed("config.dataset."):
            raw = datasets.raw(self.config.dataset)
        with renamed("config.transform."):
            return datasets.transformed(raw, self.config.transform)

    @functools.cached_property
    def models(self) -> dict[str, Model]:
        """Return the models by label."""
        return {
            label: build(label, dict(options), self.dataset)
            for label, options in self.config.models.items()
        }

    @functools.cached_property
    def policies(self) -> dict[str, Policy]:
        """Return the policies by label, the baseline among them."""
        made = {BASELINE: policies.build(BASELINE)}
        for label in self.config.policies:
            name, options = self.config.policy(label)
            made[label] = policies.build(name, options, f"config.options.{label}")
        return made

    def check_parts(self) -> None:
        """Check names and options of policies and models, without the data.

        Raises:
          InputError: naming the field.
        """
        self.policies  # noqa: B018 as they are built, they are checked
        for label, options in self.config.models.items():
            check_options(label, options)

    @functools.cached_property
    def spec(self) -> GridSpec:
        """Return what the grid depends on."""
        heads = [label for label, policy in self.policies.items() if policy.needs.head]
        return GridSpec.of(self.config, heads)

    @property
    def budgets(self) -> list[int]:
        """Return how many examples are labelled after each cycle."""
        return records.budgets(len(self.dataset.pool), self.config.budget, self.config.cycles)

    def cost_model(self) -> CostModel:
        """Take what the cost of the study's runs depends on; models are built and counted for it.

        Returns:
          The sizes, recipes and operations.
        """
        transform, dataset = self.config.transform, self.dataset
        *whole, channels = dataset.image_shape
        crop = transform.size
        trained = crop if transform.train != "none" and any(crop) else whole
        ratio = np.prod(whole) / np.prod(trained)
        counts = {
            label: macs(model.module, tuple(trained), channels)
            for label, model in self.models.items()
        }
        return CostModel(
            spec=self.spec,
            budgets=self.budgets,
            pool=len(dataset.pool),
            val=len(dataset.val),
            recipes={label: self.config.recipe(label) for label in self.models},
            macs={label: (one, one * ratio) for label, one in counts.items()},
        )
