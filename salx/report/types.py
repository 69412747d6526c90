"""What a report is made of, as plain values that nobody changes, and which runs belong where."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from salx import run_folder
from salx.study import grid


class Column(NamedTuple):
    """Who chose, and by which policy. Random has no surrogate."""

    surrogate: str | None
    policy: str

    def selection(self, seed: int) -> str:
        return run_folder.selection_name(self.surrogate, self.policy, seed)


RANDOM = Column(None, "random")


class Study(NamedTuple):
    """The resolved study: budgets are labelled examples after each cycle, models parameters."""

    config: dict[str, Any]
    dataset: dict[str, Any]
    budgets: tuple[int, ...]
    deploy_cycles: tuple[int, ...]
    models: dict[str, int]
    metric: str
    unit: str

    @property
    def name(self) -> str:
        return self.config["name"]

    @property
    def seeds(self) -> int:
        return self.config["seeds"]

    @property
    def deployments(self) -> tuple[str, ...]:
        return tuple(self.config["deployments"])

    @property
    def surrogates(self) -> tuple[str, ...]:
        return tuple(self.config["surrogates"])

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies beside random."""
        return tuple(p for p in self.config["policies"] if p != RANDOM.policy)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Each surrogate under each policy, then random."""
        chosen = [Column(s, policy) for policy in self.policies for s in self.surrogates]
        return (*chosen, RANDOM)

    @property
    def lineages(self) -> dict[str, list[str]]:
        """Lines of models, each the next one's surrogate, by the label that stands for them."""
        return self.config.get("lineages") or {}

    @property
    def choosers(self) -> tuple[Column, ...]:
        """Whatever has chosen: the columns, then each lineage under each policy."""
        inherited = [Column(line, policy) for line in self.lineages for policy in self.policies]
        return (*self.columns, *inherited)

    @property
    def digits(self) -> int:
        """Decimals worth showing of a percentage: one, from 1,000 validation examples two."""
        return 2 if self.dataset["val"] >= 1000 else 1

    def label(self, column: Column) -> str:
        """`res8`, or `res8 · entropy` where the study has several policies; `random`."""
        if column.surrogate is None:
            return column.policy
        several = len(self.policies) > 1
        return f"{column.surrogate} · {column.policy}" if several else column.surrogate


class Result(NamedTuple):
    """One deployment run: `value` is the metric as a fraction, `seconds` by kind of work.

    ece: expected calibration error, a fraction. classes: the metric by class, None where the
    validation split has none of it. None and () are what was not recorded. A model's potential
    has the surrogate "all", no policy and no cycle.
    """

    run: str
    deployment: str
    surrogate: str | None
    policy: str | None
    seed: int
    cycle: int | None
    labelled: int
    steps: int
    epochs: float
    value: float
    val: int
    seconds: dict[str, float]
    checkpoint: dict[str, Any]
    environment: dict[str, Any]
    ece: float | None = None
    classes: tuple[float | None, ...] = ()

    @property
    def source(self) -> str:
        """The file, from the work folder."""
        return f"deployments/{self.run}/result.json"


class Work(NamedTuple):
    """The results of a study by run, and those of models that were trained on the whole pool."""

    study: Study
    results: Mapping[str, Result]
    potentials: tuple[Result, ...] = ()


def run_name(deployment: str, column: Column, seed: int, cycle: int) -> str:
    return grid.deployment(deployment, grid.Selection(*column, seed), cycle).name


def taken(work: Work, deployment: str, column: Column, cycle: int) -> dict[int, Result]:
    """The results that exist for one cell, by seed."""
    names = {s: run_name(deployment, column, s, cycle) for s in range(work.study.seeds)}
    return {seed: work.results[name] for seed, name in names.items() if name in work.results}


def expected(study: Study) -> set[str]:
    """The runs of a finished study."""
    config = {**study.config, "deploy_cycles": study.deploy_cycles}
    return {job.name for job in grid.grid(config).trainings}
