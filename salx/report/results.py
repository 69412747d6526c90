"""Reads what a study left in its work folder.

Only finished files are read, and their digests are checked: what is missing stays missing,
what is damaged is an InputError that names the file.
"""

import zipfile
from pathlib import Path

import numpy as np

from salx import pool, runs
from salx.errors import InputError
from salx.report.values import Column, Result, Scores, Scoring, Study, Work


def read(workdir: Path) -> Work:
    """Reads a work folder. Raises InputError, naming the file, if it is none or damaged."""
    study = read_study(workdir)
    results = [read_result(path) for path in sorted(workdir.glob("deployments/*/result.json"))]
    scorings = [s for c in study.columns for s in read_scorings(workdir, study, c)]
    scores = [s for c in study.columns if (s := read_scores(workdir, study, c)) is not None]
    by_run = {result.run: result for result in results}
    return Work(study, by_run, tuple(scorings), tuple(scores), read_records(workdir, study))


def read_study(workdir: Path) -> Study:
    path = workdir / "study.json"
    if not path.is_file():
        raise InputError(f"{workdir}: not a study's work folder: it has no study.json")
    value = runs.read_json(path)
    try:
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


def read_result(path: Path) -> Result:
    value = runs.read_json(path)
    try:
        result = Result(**{field: value[field] for field in Result._fields})
    except KeyError as error:
        raise InputError(f"{path}: has no field {error}") from error
    if result.run != path.parent.name:
        raise InputError(f"{path}: is the result of another run, {result.run}")
    return result


def read_scorings(workdir: Path, study: Study, column: Column) -> list[Scoring]:
    found = []
    for seed in range(study.seeds):
        for path in sorted((workdir / "selections" / column.selection(seed)).glob("cycle_*.json")):
            value = runs.read_json(path)
            found.append(Scoring(column, seed, value["cycle"], value["images"], value["seconds"]))
    return found


def read_scores(workdir: Path, study: Study, column: Column) -> Scores | None:
    """The last cycle that any seed has scored, over all seeds that have scored it."""
    last, paths = -1, {}
    for seed in range(study.seeds):
        folder = workdir / "selections" / column.selection(seed)
        for path in folder.glob("scores_*.npz"):
            cycle = int(path.stem.removeprefix("scores_"))
            if cycle > last:
                last, paths = cycle, {}
            if cycle == last:
                paths[seed] = path
    if not paths:
        return None
    return Scores(column, last, tuple(paths), np.concatenate([load(p) for p in paths.values()]))


def load(path: Path) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["scores"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged: {error}") from error


def read_records(workdir: Path, study: Study) -> dict[str, str]:
    """Digest of each selection's record in the reported cycle: it vouches for all before it."""
    digests = {}
    for column in study.columns:
        for seed in range(study.seeds):
            name = column.selection(seed)
            path = pool.record_path(workdir / "selections" / name, study.deploy_cycles[-1])
            if path.exists():
                digests[name] = pool.read(path).header["digest"]
    return digests
