"""A study as a grid of runs: what there is to do, as pure functions of the config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from salx.run_folder import deployment_name, selection_name
from salx.study.config import StudyConfig

# The policies of versions that did not note it whose surrogates carry a module trained along.
HEADS_BEFORE = ("learning_loss",)


@dataclass(frozen=True)
class GridSpec:
    """Hold what a grid depends on: fields of a StudyConfig, and which policies have a module.

    Attributes:
      surrogates: labels of models and ensembles that choose.
      deployments: labels of models that are trained on what was chosen.
      policies: labels of policies, without random.
      seeds: how many seeds, from 0.
      cycles: choices of a selection, the first of them random.
      deploy_cycles: train deployments after these; () is the last alone.
      potentials: whether deployments are trained on the whole pool as well.
      lineages: label -> labels of models, which choose in turn.
      ensembles: label -> members, or a model with weight seeds or generations.
      heads: labels of the policies whose surrogates carry a module that is trained along.
    """

    surrogates: tuple[str, ...]
    deployments: tuple[str, ...]
    policies: tuple[str, ...]
    seeds: int
    cycles: int
    deploy_cycles: tuple[int, ...] = ()
    potentials: bool = False
    lineages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ensembles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    heads: frozenset[str] = frozenset(HEADS_BEFORE)

    @classmethod
    def of(cls, config: StudyConfig | Mapping[str, Any], heads: Sequence[str]) -> "GridSpec":
        """Take what matters of a config.

        Args:
          config: typed or, as study.json has it, plain.
          heads: labels of the policies whose surrogates carry a module that is trained along.

        Returns:
          What the grid depends on.
        """
        plain = config.to_dict() if isinstance(config, StudyConfig) else config
        names = ("surrogates", "deployments", "policies", "deploy_cycles")
        return cls(
            **{name: tuple(plain[name]) for name in names},
            seeds=plain["seeds"],
            cycles=plain["cycles"],
            potentials=plain["potentials"],
            lineages=plain.get("lineages") or {},
            ensembles=plain.get("ensembles") or {},
            heads=frozenset(heads),
        )


class Selection(NamedTuple):
    """Name a selection run: who chooses, how, from which seed.

    Attributes:
      surrogate: a model's label, an ensemble's or a lineage's; None where nobody chooses: the
        random column, and "all", which labels the whole pool at once.
      policy: its label; "random", or "all".
      seed: from 0.
    """

    surrogate: str | None
    policy: str
    seed: int

    @property
    def name(self) -> str:
        """Return the name of its run folder."""
        return selection_name(*self)

    def folder(self, workdir: Path) -> Path:
        """Find its run folder.

        Args:
          workdir: the study's work folder.

        Returns:
          W/selections/<name>.
        """
        return workdir / "selections" / self.name


class Deployment(NamedTuple):
    """Name a deployment run: a model that is trained on what a selection chose.

    Attributes:
      model: its label.
      selection: what it is trained on.
      cycle: the last of the selection's cycles, from 0, whose picks it is trained on.
      head: the label of the policy whose module is trained along, "" for none.
      weights: the number of a further weight seed, 0 for the first.
    """

    model: str
    selection: Selection
    cycle: int
    head: str = ""
    weights: int = 0

    @property
    def name(self) -> str:
        """Return the name of its run folder."""
        cycle = None if self.selection.policy == "all" else self.cycle
        model = f"{self.model}.w{self.weights}" if self.weights else self.model
        return deployment_name(model, self.selection.name, cycle, self.head)

    def folder(self, workdir: Path) -> Path:
        """Find its run folder.

        Args:
          workdir: the study's work folder.

        Returns:
          W/deployments/<name>.
        """
        return workdir / "deployments" / self.name


class Grid(NamedTuple):
    """Hold the runs of a study in an order in which each finds what it needs.

    Attributes:
      selections: the selection runs, the random columns first.
      surrogates: the deployments that selection runs train to choose their next cycle.
      deployments: the other deployments, which are trained to be measured.
    """

    selections: list[Selection]
    surrogates: list[Deployment]
    deployments: list[Deployment]

    @property
    def trainings(self) -> list[Deployment]:
        """List all that is trained, for cycles and as deployments."""
        return [*self.surrogates, *self.deployments]


def deployment(
    model: str, selection: Selection, cycle: int, head: str = "", weights: int = 0
) -> Deployment:
    """Name a deployment run, or the one that it is equal to.

    A seed's first cycle is the same random one in every selection, so all deployments after cycle 0
    stand in the random column.

    Args:
      model: its label.
      selection: what it is trained on.
      cycle: the last cycle whose picks it is trained on.
      head: the label of the policy whose module is trained along, "" for none.
      weights: the number of a further weight seed.

    Returns:
      The run.
    """
    shared = Selection(None, "random", selection.seed) if cycle == 0 else selection
    return Deployment(model, shared, cycle, head, weights)


def surrogates(config: GridSpec, selection: Selection, cycle: int) -> list[Deployment]:
    """List the trainings after which a selection chooses a cycle.

    Args:
      config: of the grid.
      selection: who chooses.
      cycle: which it chooses, 1 or later.

    Returns:
      One training, or of an ensemble its members, which are deployments of what the ensemble chose
      up to the cycle before.
    """
    label, before = selection.surrogate, cycle - 1
    if label in config.ensembles:
        spec = config.ensembles[label]
        if "members" in spec:
            return [deployment(model, selection, before) for model in spec["members"]]
        if "weight_seeds" in spec:
            seeds = range(spec["weight_seeds"])
            return [deployment(spec["model"], selection, before, weights=k) for k in seeds]
        first = max(0, cycle - spec["generations"])
        return [deployment(spec["model"], selection, c) for c in range(before, first - 1, -1)]
    models = config.lineages.get(label, (label,))
    model = models[cycle * len(models) // config.cycles]
    head = selection.policy if selection.policy in config.heads else ""
    return [deployment(model, selection, before, head)]


def deploy_cycles(config: GridSpec) -> list[int]:
    """List the cycles after which deployments are trained; the last one alone unless config says.

    Args:
      config: of the grid.

    Returns:
      Cycles from 0, ascending.
    """
    return sorted(set(config.deploy_cycles)) or [config.cycles - 1]


def generations(config: GridSpec, lineage: str) -> list[tuple[str, int, int]]:
    """List the generations of a lineage, in turn.

    Args:
      config: of the grid.
      lineage: its label.

    Returns:
      (model, first cycle, last cycle) that each chooses; the first generation also has the random
      cycle 0.
    """
    models, cycles = config.lineages[lineage], config.cycles
    turns = [cycle * len(models) // cycles for cycle in range(cycles)]
    return [
        (model, turns.index(turn), cycles - 1 - turns[::-1].index(turn))
        for turn, model in enumerate(models)
    ]


def _selections(config: GridSpec) -> tuple[list[Selection], list[Selection]]:
    """The random columns of all seeds, and the selections that surrogates and lineages make."""
    seeds = range(config.seeds)
    chosen = [
        Selection(label, policy, seed)
        for seed in seeds
        for label in [*config.surrogates, *config.lineages]
        for policy in config.policies
    ]
    return [Selection(None, "random", seed) for seed in seeds], chosen


def choosing(config: GridSpec, selection: Selection) -> list[Deployment]:
    """List the trainings after which a surrogate or lineage chooses its cycles 1, 2, ...

    Args:
      config: of the grid.
      selection: who chooses.

    Returns:
      Each training once.
    """
    every = (surrogates(config, selection, cycle) for cycle in range(1, config.cycles))
    return list(dict.fromkeys(run for runs in every for run in runs))


def needs(config: GridSpec) -> tuple[list[Deployment], list[Deployment]]:
    """List the trainings that are needed, each as often as it is needed.

    Args:
      config: of the grid.

    Returns:
      Those that choosing needs, and those that measuring does.
    """
    randoms, chosen = _selections(config)
    deployments = [
        deployment(model, selection, cycle)
        for model in config.deployments
        for cycle in sorted({0, *deploy_cycles(config)})
        for selection in [*randoms, *chosen]
    ]
    for selection in chosen:
        if selection.surrogate in config.lineages:
            for model, _, last in generations(config, selection.surrogate):
                deployments.append(deployment(model, selection, last))
                deployments.append(
                    deployment(model, Selection(None, "random", selection.seed), last)
                )
    if config.potentials:
        alls = [Selection(None, "all", seed) for seed in range(config.seeds)]
        deployments += [Deployment(m, every, 0) for m in config.deployments for every in alls]
    return [run for selection in chosen for run in choosing(config, selection)], deployments


def grid(config: GridSpec) -> Grid:
    """List all runs of a study.

    A surrogate in cycle c is the deployment, of the same model, of what it chose up to cycle c - 1;
    so most of the diagonal and of the curves comes for free.

    Args:
      config: of the grid.

    Returns:
      Each run once.
    """
    choosers, deployments = (dict.fromkeys(runs) for runs in needs(config))
    randoms, chosen = _selections(config)
    rest = [run for run in deployments if run not in choosers]
    return Grid([*randoms, *chosen], list(choosers), rest)


def labelled(run: Deployment, budgets: Sequence[int], pool: int) -> int:
    """Count the examples that a deployment is trained on.

    Args:
      run: the deployment.
      budgets: how many are labelled after each cycle.
      pool: how many the whole pool has.

    Returns:
      Their number.
    """
    return pool if run.selection.policy == "all" else budgets[run.cycle]
