"""Reads a study's results from its work folder.

Only finished files are read, and their digests are checked: what is missing stays missing,
what is damaged is an InputError that names the file.
"""

import re
from pathlib import Path
from typing import Any

from salx import run_folder
from salx.infra import sealed
from salx.infra.errors import InputError
from salx.report.types import Result, Study, Work

WHOLE = re.compile(r".+\.on\.all\.s\d+")  # the name of a run on the whole pool
CONFIG = (  # what the grid and the report read of a study's config
    "name", "models", "surrogates", "deployments", "lineages", "policies", "potentials",
    "deploy_cycles", "seeds", "cycles",
)  # fmt: skip
REQUIRED = [field for field in Result._fields if field not in Result._field_defaults]


def read(workdir: Path) -> Work:
    """Reads a work folder. Raises InputError, naming the file, if it is none or damaged."""
    study = read_study(workdir)
    found = [read_result(path) for path in sorted(workdir.glob("deployments/*/result.json"))]
    whole = tuple(result for result in found if WHOLE.fullmatch(result.run))
    return Work(study, {r.run: r for r in found if not WHOLE.fullmatch(r.run)}, whole)


def read_study(workdir: Path) -> Study:
    path = workdir / "study.json"
    if not path.is_file():
        raise InputError(f"{workdir}: not a study's work folder: it has no study.json")
    value = sealed.read_json(path)
    try:
        for field in CONFIG:
            if field not in value["config"]:
                raise KeyError(f"config.{field}")
        check_names(value["config"])
        return Study(
            config=value["config"],
            dataset=value["dataset"],
            budgets=tuple(value["budgets"]),
            deploy_cycles=tuple(sorted(value["deploy_cycles"])),
            models={name: model["parameters"] for name, model in value["models"].items()},
            metric=value["metric"],
            unit=value["unit"],
        )
    except KeyError as error:
        raise InputError(f"{path}: has no field {error}") from error


def check_names(config: dict[str, Any]) -> None:
    """Labels become files' names: raises InputError for one that could leave its folder."""
    for field in ("surrogates", "deployments", "policies"):
        for label in config[field]:
            run_folder.check_label(field, label)
    for label in config.get("lineages") or {}:
        run_folder.check_label("lineages", label)


def read_result(path: Path) -> Result:
    """A run on the whole pool belongs to no cycle; any other result has every required field."""
    value = sealed.read_json(path)
    if WHOLE.fullmatch(path.parent.name):
        value = {"cycle": None, "policy": None, **value, "surrogate": "all"}
    try:
        result = Result(
            **{field: value[field] for field in REQUIRED},
            ece=value.get("ece"),
            classes=tuple(value.get("classes") or ()),
        )
    except KeyError as error:
        raise InputError(f"{path}: has no field {error}") from error
    if result.run != path.parent.name:
        raise InputError(f"{path}: is the result of another run, {result.run}")
    return result
