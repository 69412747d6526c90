"""Hold what a report is made of, and say which runs belong to which cell of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from salx import run_folder
from salx.study import grid


@dataclass(frozen=True)
class Column:
    """Say who chose, and by which policy.

    Attributes:
      surrogate: the label of the model or ensemble that chose; None of random.
      policy: the policy's label in the study.
    """

    surrogate: str | None
    policy: str

    def selection(self, seed: int) -> str:
        """Name the folder of this column's selection of a seed.

        Args:
          seed: the selection's.

        Returns:
          The name, as `res8.entropy.s0`.
        """
        return run_folder.selection_name(self.surrogate, self.policy, seed)


RANDOM = Column(None, "random")  # every study's baseline


@dataclass(frozen=True)
class PolicyFacts:
    """Say how a report shows a policy, as the policy itself says it.

    Attributes:
      name: the policy's, whatever label a study gives it.
      title: the name as a reader says it.
      unit: what the axis of its scores says.
      marker: matplotlib's, of its points.
      oracle: whether it knows the labels: a reference, not a way to choose.
      head: whether a module is trained along with its surrogates.
    """

    name: str
    title: str
    unit: str = "score"
    marker: str = "v"
    oracle: bool = False
    head: bool = False


@dataclass(frozen=True)
class DatasetFacts:
    """Say what a study's data are.

    Attributes:
      name: of the data set.
      about: what it holds, in a sentence.
      classes: their names.
      pool: the number of examples to choose from.
      val: the number of examples that results are measured on.
      fingerprint: `sha256:<hex>` of the pool.
    """

    name: str
    about: str
    classes: tuple[str, ...]
    pool: int
    val: int
    fingerprint: str


@dataclass(frozen=True)
class StudyFacts:
    """Hold a study as its study.json tells it.

    Attributes:
      config: the resolved config.
      dataset: what the data are.
      budgets: labelled examples after each cycle.
      deploy_cycles: the cycles after which every model is trained, ascending.
      models: parameters by label.
      metric: the name of the metric.
      unit: that of the metric.
      policy_facts: how each policy is shown, by label, random included.
    """

    config: Mapping[str, Any]
    dataset: DatasetFacts
    budgets: tuple[int, ...]
    deploy_cycles: tuple[int, ...]
    models: Mapping[str, int]
    metric: str
    unit: str
    policy_facts: Mapping[str, PolicyFacts]

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self.config["name"]

    @property
    def seeds(self) -> int:
        """Count the seeds."""
        return self.config["seeds"]

    @property
    def deployments(self) -> tuple[str, ...]:
        """List the labels of the models that are trained on what was chosen."""
        return tuple(self.config["deployments"])

    @property
    def surrogates(self) -> tuple[str, ...]:
        """List the labels of the models and of the ensembles of models that choose."""
        return tuple(self.config["surrogates"])

    @property
    def policies(self) -> tuple[str, ...]:
        """List the labels of the policies besides random."""
        return tuple(p for p in self.config["policies"] if p != RANDOM.policy)

    @property
    def columns(self) -> tuple[Column, ...]:
        """List each surrogate under each policy, then random."""
        chosen = [Column(s, policy) for policy in self.policies for s in self.surrogates]
        return (*chosen, RANDOM)

    @property
    def lineages(self) -> dict[str, list[str]]:
        """Take the lines of models, each the next one's surrogate, by the label of the line."""
        return self.config.get("lineages") or {}

    @property
    def choosers(self) -> tuple[Column, ...]:
        """List whatever has chosen: the columns, then each lineage under each policy."""
        inherited = [Column(line, policy) for line in self.lineages for policy in self.policies]
        return (*self.columns, *inherited)

    @property
    def digits(self) -> int:
        """Count the decimals worth showing of a percentage: two from 1,000 validation examples."""
        return 2 if self.dataset.val >= 1000 else 1

    def title(self, policy: str) -> str:
        """Name a policy as a reader says it.

        Args:
          policy: its label in the study.

        Returns:
          The policy's own title, or the label's words where the label is a name of its own.
        """
        facts = self.policy_facts[policy]
        return facts.title if facts.name == policy else policy.replace("_", " ")

    @property
    def titles(self) -> list[str]:
        """List what readers call the policies besides random."""
        return [self.title(policy) for policy in self.policies]

    def label(self, column: Column) -> str:
        """Name a column for a reader.

        Args:
          column: who chose.

        Returns:
          `res8`, `random`, or `res8 · entropy` where there are several policies.
        """
        if column.surrogate is None:
            return column.policy
        several = len(self.policies) > 1
        return f"{column.surrogate} · {column.policy}" if several else column.surrogate


@dataclass(frozen=True)
class Result:
    """Hold the result of one deployment run.

    None and () are what was not recorded. A model's potential has the surrogate "all", no
    policy and no cycle.

    Attributes:
      run: the name of the run's folder.
      deployment: the label of the model that was trained.
      surrogate: the label of who chose; None of random.
      policy: the label of the policy that it chose by.
      seed: the run's.
      cycle: the last one whose picks it was trained on.
      labelled: the number of examples that it was trained on.
      steps: those of the training.
      epochs: passes over these examples.
      value: the metric as a fraction.
      val: the number of validation examples.
      seconds: by kind of work.
      checkpoint: its step and digest.
      environment: what the run ran on.
      ece: expected calibration error, a fraction.
      classes: the metric by class, None where the validation split has none of it.
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
    seconds: Mapping[str, float]
    checkpoint: Mapping[str, Any]
    environment: Mapping[str, Any]
    ece: float | None = None
    classes: tuple[float | None, ...] = ()

    @property
    def source(self) -> str:
        """Name the file, from the work folder."""
        return f"deployments/{self.run}/result.json"


@dataclass(frozen=True)
class Work:
    """Hold a study's results.

    Attributes:
      study: what the study is.
      results: by the name of the run, but for those on the whole pool.
      potentials: those of models that were trained on the whole pool.
    """

    study: StudyFacts
    results: Mapping[str, Result]
    potentials: tuple[Result, ...] = ()


def run_name(deployment: str, column: Column, seed: int, cycle: int) -> str:
    """Name the run of a model that was trained on what a column chose up to a cycle.

    Args:
      deployment: the model's label.
      column: who chose.
      seed: the run's.
      cycle: counted from 0.

    Returns:
      The name of the run's folder.
    """
    selection = grid.Selection(column.surrogate, column.policy, seed)
    return grid.deployment(deployment, selection, cycle).name


def by_seed(work: Work, deployment: str, column: Column, cycle: int) -> dict[int, Result]:
    """Pick the results that exist for one cell.

    Args:
      work: all results.
      deployment: the label of the model that was trained.
      column: who chose.
      cycle: the last one whose picks it was trained on.

    Returns:
      The results by seed.
    """
    names = {s: run_name(deployment, column, s, cycle) for s in range(work.study.seeds)}
    return {seed: work.results[name] for seed, name in names.items() if name in work.results}


def expected(study: StudyFacts) -> set[str]:
    """Name the runs of a finished study.

    Args:
      study: what the study is.

    Returns:
      The names of all training runs.
    """
    config = {**study.config, "deploy_cycles": study.deploy_cycles}
    heads = [label for label, facts in study.policy_facts.items() if facts.head]
    return {job.name for job in grid.grid(grid.GridSpec.of(config, heads)).trainings}
