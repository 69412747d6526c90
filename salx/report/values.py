"""What a report is made of, as plain values that nobody changes, and which runs belong where."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from salx import grid, runs


class Column(NamedTuple):
    """Who chose, and by which policy. Random has no surrogate."""

    surrogate: str | None
    policy: str

    def selection(self, seed: int) -> str:
        return runs.selection_name(self.surrogate, self.policy, seed)


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
    def columns(self) -> tuple[Column, ...]:
        """Each surrogate under each policy, then random."""
        policies = [policy for policy in self.config["policies"] if policy != RANDOM.policy]
        chosen = [Column(s, policy) for policy in policies for s in self.config["surrogates"]]
        return (*chosen, RANDOM)

    def label(self, column: Column) -> str:
        """`res8`, or `res8 · entropy` where the study has several policies; `random`."""
        if column.surrogate is None:
            return column.policy
        several = len({c.policy for c in self.columns if c.surrogate}) > 1
        return f"{column.surrogate} · {column.policy}" if several else column.surrogate


class Result(NamedTuple):
    """One deployment run: `value` is the metric as a fraction, `seconds` by kind of work."""

    run: str
    deployment: str
    surrogate: str | None
    policy: str
    seed: int
    cycle: int
    labelled: int
    steps: int
    epochs: float
    value: float
    val: int
    seconds: dict[str, float]
    checkpoint: dict[str, Any]
    environment: dict[str, Any]


class Scoring(NamedTuple):
    """One pass over the unlabelled pool: how many examples, how long, their mean score."""

    column: Column
    seed: int
    cycle: int
    images: int
    seconds: float


class Scores(NamedTuple):
    """Scores float32[n] of the unlabelled pool in a column's last scored cycle, seeds pooled."""

    column: Column
    cycle: int
    seeds: tuple[int, ...]
    values: np.ndarray


class Work(NamedTuple):
    """All that a report is made of. `results` by run, `records` digests by selection."""

    study: Study
    results: Mapping[str, Result]
    scorings: tuple[Scoring, ...]
    scores: tuple[Scores, ...]
    records: Mapping[str, str]


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
