"""Read a study's results from its work folder.

Only finished files are read, and their digests are checked: what is missing stays missing,
what is damaged is an InputError that names the file.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from salx import run_folder
from salx.infra import limits, sealed
from salx.infra.errors import ArgumentError, InputError
from salx.report.load.types import RANDOM, DatasetFacts, PolicyFacts, Result, StudyFacts, Work
from salx.study import consistency
from salx.study.config import StudyConfig

WHOLE = re.compile(r".+\.on\.all\.s\d+")  # the name of a run on the whole pool
CONFIG = (  # what the grid and the report read of a study's config
    "name", "models", "surrogates", "deployments", "lineages", "policies", "potentials",
    "deploy_cycles", "seeds", "cycles",
)  # fmt: skip
FACTS = {  # what the report reads of study.json beside the config
    "config": Mapping[str, Any],
    "dataset": Mapping[str, Any],
    "budgets": tuple[int, ...],
    "deploy_cycles": tuple[int, ...],
    "models": Mapping[str, Mapping[str, Any]],
    "metric": str,
    "unit": str,
}
REQUIRED = tuple(field.name for field in fields(Result) if field.default is MISSING)
# Before study.json told how its policies are shown there were these.
LEGACY = {
    facts.name: facts
    for facts in (
        PolicyFacts("entropy", "entropy", "entropy (nats)", "D"),
        PolicyFacts("learning_loss", "learning loss", "predicted loss", "o", head=True),
        PolicyFacts("core_set", "core-set", "score", "s"),
        PolicyFacts("true_loss", "true loss", "loss", "^", oracle=True),
        PolicyFacts(RANDOM.policy, "random", marker="P"),
    )
}


def read(workdir: Path) -> Work:
    """Read a work folder's results.

    Args:
      workdir: the study's.

    Returns:
      What the study is, and the results that are there.

    Raises:
      InputError: naming the file, if the folder is none or a file is damaged.
    """
    study = read_study(workdir)
    results = [read_result(path) for path in sorted(workdir.glob("deployments/*/result.json"))]
    whole = tuple(result for result in results if WHOLE.fullmatch(result.run))
    return Work(study, {r.run: r for r in results if not WHOLE.fullmatch(r.run)}, whole)


def read_study(workdir: Path) -> StudyFacts:
    """Read W/study.json.

    Args:
      workdir: the study's.

    Returns:
      What the study is.

    Raises:
      InputError: naming the file, if there is none, or if it is damaged or lacks a field.
    """
    path = workdir / "study.json"
    if not path.is_file():
        raise InputError(f"{workdir}: not a study's work folder: it has no study.json")
    value = sealed.read_json(path, FACTS)
    with sealed.using(path):
        facts = study_facts(value)
        check_models(facts.config, facts.models)
    return facts


def study_facts(value: Mapping[str, Any]) -> StudyFacts:
    """Take a study's facts from the content of its study.json.

    Args:
      value: the content.

    Returns:
      What the study is.

    Raises:
      KeyError: for a field that is not there.
      InputError: for a label that cannot be a file's name.
      ValueError: for cycles that have no budget.
    """
    config = value["config"]
    for field in CONFIG:
        if field not in config:
            raise KeyError(f"config.{field}")
    for field in (*CONFIG, "ensembles"):
        if config.get(field) is not None:
            limits.check(f"config.{field}", config[field], limits.annotation_of(StudyConfig, field))
    check_names(config)
    dataset = {field.name: value["dataset"][field.name] for field in fields(DatasetFacts)}
    limits.check_options(DatasetFacts, dataset, "dataset.")
    if not value["deploy_cycles"] or max(value["deploy_cycles"]) >= len(value["budgets"]):
        raise ValueError("deploy_cycles names cycles that have a budget, at least one")
    return StudyFacts(
        config=config,
        dataset=DatasetFacts(**dataset | {"classes": tuple(dataset["classes"])}),
        budgets=tuple(value["budgets"]),
        deploy_cycles=tuple(sorted(value["deploy_cycles"])),
        models={name: model["parameters"] for name, model in value["models"].items()},
        metric=value["metric"],
        unit=value["unit"],
        policy_facts={
            label: policy_facts(label, value) for label in (*config["policies"], RANDOM.policy)
        },
    )


def policy_facts(label: str, value: Mapping[str, Any]) -> PolicyFacts:
    """Take how a policy is shown from study.json, or from LEGACY where an older one is silent.

    Args:
      label: the policy's in the study.
      value: the content of study.json.

    Returns:
      How a report shows the policy.
    """
    recorded = (value.get("policies") or {}).get(label)
    options = (value["config"].get("options") or {}).get(label) or {}
    name = options.get("name", label)
    if recorded is None and name in LEGACY:
        return LEGACY[name]
    default = {"name": name, "title": name.replace("_", " ")}
    names = {field.name for field in fields(PolicyFacts)}
    said = {k: v for k, v in (recorded or {}).items() if k in names and v is not None}
    facts = default | said
    limits.check_options(PolicyFacts, facts, f"policies.{label}.")
    return PolicyFacts(**facts)


def check_names(config: Mapping[str, Any]) -> None:
    """Check the labels, which become files' names.

    Args:
      config: the study's.

    Raises:
      InputError: for one that could leave its folder, and for what is no ensemble.
    """
    ensembles = config.get("ensembles") or {}
    for field in ("surrogates", "deployments", "policies", "lineages", "ensembles"):
        for label in config.get(field) or ():
            run_folder.check_label(field, label)
    for label, spec in ensembles.items():
        consistency.check_form(f"config.ensembles.{label}", spec)


def check_models(config: Mapping[str, Any], models: Mapping[str, int]) -> None:
    """Check that all who choose and all that is deployed are models, or ensembles of them.

    Args:
      config: the study's.
      models: parameters by label.

    Raises:
      ArgumentError: for a label that names none.
    """
    every = {*models, *(config.get("ensembles") or {})}
    lines = [label for line in config["lineages"].values() for label in line]
    for label in (*config["surrogates"], *config["deployments"], *lines):
        if label not in every:
            raise ArgumentError("models", f"unknown model in {{name}}: {label!r}")


def read_result(path: Path) -> Result:
    """Read a result.json.

    Args:
      path: the file, in its run's folder.

    Returns:
      The result; that of a run on the whole pool belongs to no cycle.

    Raises:
      InputError: naming the file, if it is damaged, lacks a field or is another run's.
    """
    value = sealed.read_json(path)
    if WHOLE.fullmatch(path.parent.name):
        value = {"cycle": None, "policy": None, **value, "surrogate": "all"}
    with sealed.using(path):
        facts = {field: value[field] for field in REQUIRED}
        facts |= {"ece": value.get("ece"), "classes": tuple(value.get("classes") or ())}
        limits.check_options(Result, facts)
        result = Result(**facts)
    run_folder.identity(path.parent)
    if result.run != path.parent.name:
        raise InputError(f"{path}: is the result of another run, {result.run}")
    return result
