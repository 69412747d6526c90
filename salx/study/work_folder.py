"""What a work folder already holds of a study: results, records, and the study that it is of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from salx import records, run_folder
from salx.infra import sealed
from salx.infra.errors import InputError
from salx.study.config import StudyConfig, outcome_fields
from salx.study.grid import HEADS_BEFORE, Deployment, GridSpec, grid

Section = Mapping[str, Any]
HELD = {  # what is read of a study.json before a study goes on
    "config.policies": Sequence[str],
    "config.models": Mapping[str, Section],
    "config.options": Mapping[str, Section],
    "config.dataset": Section,
    "config.train": Section,
}


def is_done(workdir: Path, run: Deployment) -> bool:
    """Tell whether a deployment has a sound result.

    Args:
      workdir: the study's work folder.
      run: the deployment.

    Returns:
      Whether its result.json is there.

    Raises:
      InputError: for a damaged one, and for one of another run.
    """
    return run_folder.result(run.folder(workdir)) is not None


def is_finished(workdir: Path, config: StudyConfig) -> bool:
    """Tell whether every run of the grid has left its files; all are read and verified.

    Args:
      workdir: the study's work folder.
      config: the study's.

    Returns:
      Whether nothing is left to do.

    Raises:
      InputError: for files that are damaged, or of other runs.
    """
    held = held_study(workdir)
    if not held or not set(config.policies) <= set(held["config"]["policies"]):
        return False
    with sealed.using(workdir / "study.json"):
        carried, data = _heads(held), held["dataset"]["fingerprint"]
    work = grid(GridSpec.of(config, carried))
    cycles = config.cycles
    chains = [records.read_chain(run.folder(workdir), cycles, data) for run in work.selections]
    chosen = all(len(chain) == cycles for chain in chains)
    return chosen and all(is_done(workdir, run) for run in work.trainings)


def _heads(held: Mapping[str, Any]) -> list[str]:
    """The labels of a study's policies whose surrogates carry a module trained along."""
    facts = held.get("policies")
    if facts is None:  # a study of a version that did not note it
        return [label for label in HEADS_BEFORE if label in held["config"]["policies"]]
    return [label for label, fact in facts.items() if fact.get("head")]


def held_study(workdir: Path) -> dict[str, Any] | None:
    """Read study.json.

    Args:
      workdir: the study's work folder.

    Returns:
      Its content, None if there is none.

    Raises:
      InputError: if it is damaged, or lacks what the grid reads of it.
    """
    return sealed.read_if_there(workdir / "study.json", HELD)


def refuse_other(workdir: Path, config: StudyConfig) -> None:
    """Check that the work folder holds no other study.

    More seeds, models or policies, and what changes no outcome, do not make it another one.

    Args:
      workdir: the study's work folder.
      config: the study's.

    Raises:
      InputError: with what differs.
    """
    held = held_study(workdir)
    if not held:
        return
    old, new = held["config"], config.to_dict()
    shared = [label for label in old["policies"] if label in new["policies"]]

    def compared(plain: Mapping[str, Any]) -> dict[str, Any]:
        both = {
            name: {label: plain.get(name, {})[label] for label in _both(name, old, new)}
            for name in ("models", "ensembles")
        }
        options = {label: plain["options"].get(label, {}) for label in shared}
        return {**outcome_fields(plain), **both, "options": options}

    with sealed.using(workdir / "study.json"):
        changed = sealed.differences(compared(old), compared(new))
    if changed:
        raise InputError(f"--workdir={workdir} holds another study: {changed}")


def refuse_other_data(workdir: Path, fingerprint: str) -> None:
    """Check that the work folder holds no study of other data.

    Args:
      workdir: the study's work folder.
      fingerprint: of the data set.

    Raises:
      InputError: if its fingerprint is another one.
    """
    path = workdir / "study.json"
    held = sealed.read_if_there(path, {"dataset.fingerprint": str})
    if held and held["dataset"]["fingerprint"] != fingerprint:
        raise InputError(f"--workdir={workdir} holds a study of other data: fingerprint")


def _both(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The labels of a section that both configs have."""
    return sorted(old.get(name, {}).keys() & new.get(name, {}).keys())
