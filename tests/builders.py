"""What many tests build: recipes and configs; and what they read from work folders."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from salx import records
from salx.infra import sealed
from salx.training.step import Recipe

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "small_study.py"

# What of a config decides which runs there are: three models, each choosing for all.
GRID = {
    "surrogates": ("s", "m", "l"),
    "deployments": ("s", "m", "l"),
    "policies": ("entropy",),
    "seeds": 3,
    "cycles": 10,
    "deploy_cycles": (),
    "lineages": {},
    "potentials": False,
}


def recipe(**changes: Any) -> Recipe:
    """Return a short training at a constant rate, with the fields that are named changed."""
    fields = {
        "batch": 8,
        "accumulate": 1,
        "steps": 10,
        "epochs": 0.0,
        "learning_rate": 0.05,
        "schedule": "constant",
        "warmup": 0.0,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "threads": 0,
        "workers": 0,
        "log_every": 100,
        "save_every": 0,
    }
    return Recipe(**{**fields, **changes})


def module_of(path: Path) -> ModuleType:
    """Return a config's module, executed."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def quiet(config: dict) -> dict:
    """Return a config without lines of progress."""
    return {**config, "telemetry": {**config["telemetry"], "progress": False}}


def picks(workdir: Path) -> dict[str, list[int]]:
    """Return the ids of each record of a work folder, by the record's path."""
    return {
        str(path.relative_to(workdir)): records.read(path).ids.tolist()
        for path in sorted(workdir.glob("selections/*/cycle_*.jsonl"))
    }


def content(workdir: Path) -> dict[str, Any]:
    """Return all of a work folder that must not depend on how often it was interrupted."""
    files: dict[str, Any] = {}
    for path in sorted(workdir.rglob("*")):
        name = str(path.relative_to(workdir))
        if path.suffix == ".jsonl":
            files[name] = path.read_bytes()
        elif path.name == "result.json" or path.name.startswith("cycle_"):
            files[name] = sealed.read_json(path)
            files[name].pop("seconds")
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                files[name] = {key: arrays[key].tolist() for key in arrays}
    return files
