"""What many tests build: recipes and configs; and what they read from work folders."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from salx import records
from salx.data.datasets import Dataset
from salx.infra import sealed
from salx.infra.checkpoint import Checkpoints
from salx.models.model import Model
from salx.policies import Policy
from salx.policies.scored import Rows
from salx.scoring.engine import Question, Reading, Scorer
from salx.study.config import StudyConfig, Telemetry, resolve
from salx.study.grid import GridSpec
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing
from salx.training.loop import Trainer, Training, Watcher
from salx.training.recipe import Recipe
from salx.training.step import Trained, TrainState

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "small_study.py"

# For tests that bring none of their own: equal steps are traced and compiled once in a process.
TRAINER, SCORER = Trainer(), Scorer()

# What of a config decides which runs there are: three models, each choosing for all.
GRID = GridSpec(("s", "m", "l"), ("s", "m", "l"), ("entropy",), seeds=3, cycles=10)


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


def config_of(name: str) -> StudyConfig:
    """Return the config of a file of configs/ and its words, as `cityscapes.py:res18,small`."""
    file, _, words = name.partition(":")
    return resolve(module_of(ROOT / "configs" / file).get_config(words))


def quiet(config: StudyConfig) -> StudyConfig:
    """Return a config without lines of progress."""
    return replace(config, telemetry=Telemetry(progress=False))


def network(
    model: Model, variables: dict[str, Any], dataset: Dataset, policy: Policy | None = None
) -> Network:
    """Return a model as a surrogate for a data set, with the module that the policy trains."""
    return Network(
        model=model,
        arrays=variables,
        task=dataset.task,
        classes=dataset.classes,
        preprocessing=Preprocessing(dataset.image_shape, dataset.mean, dataset.std),
        origin={},
        head_module=policy.needs.head if policy else None,
    )


def scores(
    surrogate: Network,
    policy: Policy,
    dataset: Dataset,
    ids: np.ndarray,
    batch: int,
    scorer: Scorer | None = None,
) -> Rows:
    """Return what a policy's score gives of a pool's examples."""
    scorer = scorer or SCORER
    return scorer.score(Question(surrogate, policy), dataset, ids, Reading(batch))


def fit(
    what: Trained,
    dataset: Dataset,
    folder: Path,
    watcher: Watcher | None = None,
    size: int | None = None,
    trainer: Trainer | None = None,
) -> TrainState:
    """Train on the first `size` examples of a pool, all unless given, from seed 0."""
    ids = np.arange(len(dataset.pool) if size is None else size)
    with Checkpoints(folder / "checkpoint") as checkpoints:
        training = Training(what, dataset, ids, 0)
        return (trainer or TRAINER).fit(training, checkpoints, watcher)


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


def without_warnings(err: str) -> str:
    """A command's standard error but for its warnings, which stop nothing."""
    lines = err.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("salx: warning: "))
