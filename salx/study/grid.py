"""A study as a grid of runs, pure: what there is to do, and what a work folder already holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from salx import records, run_folder
from salx.infra import sealed
from salx.infra.errors import InputError
from salx.study.config import science

TRAINED_WITH_HEAD = ("learning_loss",)  # policies whose surrogates carry a module of their own


class Selection(NamedTuple):
    """A selection run: who chooses, how, from which seed.

    The surrogate is a model's label or a lineage's; None where nobody chooses: the random
    column, and "all", which labels the whole pool at once.
    """

    surrogate: str | None
    policy: str
    seed: int

    @property
    def name(self) -> str:
        return run_folder.selection_name(*self)

    def folder(self, workdir: Path) -> Path:
        return workdir / "selections" / self.name


class Deployment(NamedTuple):
    """A deployment run: a model trained on what a selection chose in cycles 0 to `cycle`, with
    the head of the selection's policy beside it or not."""

    model: str
    selection: Selection
    cycle: int
    head: str = ""

    @property
    def name(self) -> str:
        cycle = None if self.selection.policy == "all" else self.cycle
        return run_folder.deployment_name(self.model, self.selection.name, cycle, self.head)

    def folder(self, workdir: Path) -> Path:
        return workdir / "deployments" / self.name


class Grid(NamedTuple):
    """The runs of a study in an order in which each finds what it needs.

    `surrogates` holds the deployments that selection runs train to choose their next cycle.
    """

    selections: list[Selection]
    surrogates: list[Deployment]
    deployments: list[Deployment]

    @property
    def trainings(self) -> list[Deployment]:
        return [*self.surrogates, *self.deployments]


def deployment(model: str, selection: Selection, cycle: int, head: str = "") -> Deployment:
    """The run of that name, or the one it is equal to: a seed's first cycle is the same random
    one in every selection, so all deployments after cycle 0 stand in the random column."""
    shared = Selection(None, "random", selection.seed) if cycle == 0 else selection
    return Deployment(model, shared, cycle, head)


def surrogate(config: dict[str, Any], selection: Selection, cycle: int) -> Deployment:
    """The training after which the selection chooses its cycle 1, 2, ..."""
    label = selection.surrogate
    models = config["lineages"].get(label, (label,))
    model = models[cycle * len(models) // config["cycles"]]
    head = selection.policy if selection.policy in TRAINED_WITH_HEAD else ""
    return deployment(model, selection, cycle - 1, head)


def deploy_cycles(config: dict[str, Any]) -> list[int]:
    """The cycles after which deployments are trained; the last one alone unless config says."""
    return sorted(set(config["deploy_cycles"])) or [config["cycles"] - 1]


def generations(config: dict[str, Any], lineage: str) -> list[tuple[str, int, int]]:
    """(model, first cycle, last cycle) that each generation of a lineage chooses; the first
    generation also has the random cycle 0."""
    models, cycles = config["lineages"][lineage], config["cycles"]
    turns = [cycle * len(models) // cycles for cycle in range(cycles)]
    return [
        (model, turns.index(turn), cycles - 1 - turns[::-1].index(turn))
        for turn, model in enumerate(models)
    ]


def selections(config: dict[str, Any]) -> tuple[list[Selection], list[Selection]]:
    """The random columns of all seeds, and the selections that surrogates and lineages make."""
    seeds = range(config["seeds"])
    chosen = [
        Selection(label, policy, seed)
        for seed in seeds
        for label in [*config["surrogates"], *config["lineages"]]
        for policy in config["policies"]
    ]
    return [Selection(None, "random", seed) for seed in seeds], chosen


def choosing(config: dict[str, Any], selection: Selection) -> list[Deployment]:
    """The trainings after which a surrogate or lineage chooses its cycles 1, 2, ..."""
    return [surrogate(config, selection, cycle) for cycle in range(1, config["cycles"])]


def needs(config: dict[str, Any]) -> tuple[list[Deployment], list[Deployment]]:
    """The trainings that choosing asks for, and those that measuring does; one is named as
    often as it is needed."""
    randoms, chosen = selections(config)
    deployments = [
        deployment(model, selection, cycle)
        for model in config["deployments"]
        for cycle in sorted({0, *deploy_cycles(config)})
        for selection in [*randoms, *chosen]
    ]
    for selection in chosen:
        if selection.surrogate in config["lineages"]:
            for model, _, last in generations(config, selection.surrogate):
                deployments.append(deployment(model, selection, last))
                deployments.append(
                    deployment(model, Selection(None, "random", selection.seed), last)
                )
    if config["potentials"]:
        alls = [Selection(None, "all", seed) for seed in range(config["seeds"])]
        deployments += [Deployment(m, every, 0) for m in config["deployments"] for every in alls]
    return [run for selection in chosen for run in choosing(config, selection)], deployments


def grid(config: dict[str, Any]) -> Grid:
    """All runs of a study. A surrogate in cycle c is the deployment, of the same model, of what
    it chose up to cycle c - 1; so most of the diagonal and of the curves comes for free."""
    surrogates, deployments = (dict.fromkeys(runs) for runs in needs(config))
    randoms, chosen = selections(config)
    rest = [run for run in deployments if run not in surrogates]
    return Grid([*randoms, *chosen], list(surrogates), rest)


def labelled(run: Deployment, budgets: Sequence[int], pool: int) -> int:
    """How many examples a deployment is trained on."""
    return pool if run.selection.policy == "all" else budgets[run.cycle]


def is_done(workdir: Path, run: Deployment) -> bool:
    """Whether a deployment has a sound result. Raises InputError for a damaged one."""
    return sealed.read_if_there(run.folder(workdir) / "result.json") is not None


def is_finished(workdir: Path, config: dict[str, Any]) -> bool:
    """Whether every run of the grid has left its files; all of them are read and verified."""
    held = held_study(workdir)
    if not held:
        return False
    work, cycles, data = grid(config), config["cycles"], held["dataset"]["fingerprint"]
    chains = [records.read_chain(run.folder(workdir), cycles, data) for run in work.selections]
    chosen = all(len(chain) == cycles for chain in chains)
    return chosen and all(is_done(workdir, run) for run in work.trainings)


def held_study(workdir: Path) -> dict[str, Any] | None:
    """The content of study.json, or None. Raises InputError if it is damaged."""
    return sealed.read_if_there(workdir / "study.json")


def refuse_other(workdir: Path, config: dict[str, Any]) -> None:
    """Raises InputError, with what differs, if the folder holds a study that is another one.

    More seeds, models or policies, and what changes no outcome, do not make it another one.
    """
    held = held_study(workdir)
    if not held:
        return
    old = held["config"]
    both = old["models"].keys() & config["models"].keys()
    a = {**science(old), "models": {label: old["models"][label] for label in both}}
    b = {**science(config), "models": {label: config["models"][label] for label in both}}
    if changed := sealed.differences(a, b):
        raise InputError(f"--workdir={workdir} holds another study: {changed}")
