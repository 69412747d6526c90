"""What `python -m salx.selection` does: read, score, choose, write."""

import argparse
import functools
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from salx import parallel, pool, runs
from salx.data import Dataset
from salx.errors import InputError
from salx.selection import Policy, exports, inputs, sheet, surrogate
from salx.selection.choice import Choice, choose
from salx.selection.compare import Opinion, compare, in_words
from salx.selection.inputs import names_of_classes
from salx.selection.parts import Parts
from salx.selection.prediction import Guesses, informed
from salx.selection.scoring import score_pool
from salx.selection.surrogate import Surrogate
from salx.telemetry import Board


def run(given: argparse.Namespace) -> None:
    """Does all that the arguments ask for, and prints what it did.

    Raises InputError before any scoring for what cannot be used.
    """
    name, options = inputs.named(given.policy, "--policy")
    check_outputs(given)
    if name == "random":
        askers: list[Surrogate | None] = [None]
    elif given.surrogate:
        askers = [surrogate.load(place, given.size) for place in given.surrogate]
    else:
        raise InputError(f"--surrogate is required by policy {name!r}")
    opinions = []
    for number, asked in enumerate(askers, 1):
        policy = inputs.policy_of(name, options, asked)
        dataset = inputs.dataset_of(given.pool, given.on_error, asked)
        inputs.check_fit(asked, policy, dataset)
        out = given.out if len(askers) == 1 else numbered(given.out, number)
        opinions.append(ask(given, asked, policy, dataset, out))
    if len(askers) > 1:
        told = compare(opinions, names_of_classes(askers[0]))
        place = given.out.with_suffix(".compare.json")
        runs.write_json(place, told)
        print(in_words(told))
        print(f"comparison: {place}")


def numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def check_outputs(given: argparse.Namespace) -> None:
    """Nothing is scored for an output that cannot be written."""
    for path in (given.out, given.csv, given.label_studio, given.fiftyone, given.sheet, given.copy):
        if path and path.parent.exists() and not path.parent.is_dir():
            raise InputError(f"{path}: {path.parent} is not a folder")
    if given.out.suffix != ".jsonl":
        raise InputError(f"--out={given.out}: must be named .jsonl")
    if given.sheet and given.sheet.suffix not in sheet.KINDS:
        raise InputError(f"--sheet={given.sheet}: must be named {' or '.join(sheet.KINDS)}")
    if len(given.surrogate) > 1:
        beside = ("csv", "label_studio", "fiftyone", "sheet", "copy")
        for flag in beside:
            if getattr(given, flag):
                raise InputError(f"--{flag} needs a single --surrogate")


def ask(
    given: argparse.Namespace,
    asked: Surrogate | None,
    policy: Policy,
    dataset: Dataset,
    out: Path,
) -> Opinion:
    """Lets one surrogate choose; writes the record and what else is asked for."""
    source, began = dataset.pool, time.monotonic()
    have, foreign = inputs.labelled_ids(given.labelled, dataset)
    rest = np.setdiff1d(np.arange(len(source)), have)
    count = inputs.budget(given.budget, len(source), len(rest))
    classes = names_of_classes(asked) if asked else ()
    pixels = bool(asked) and asked.task == "segmentation"
    guesses = Guesses(len(source), len(classes), pixels)
    with Board(shown=True) as board:
        score = scores_of(given, asked, policy, dataset, out, guesses, board)
        choice = choose(policy, score, source, rest, have, count)
    header = {
        "cycle": 0,
        "surrogate": asked.model.label if asked else None,
        "policy": policy.name,
        "options": policy.options,
        "seed": given.seed,
        "checkpoint": asked.origin if asked else None,
        "data": {
            "name": dataset.name,
            "size": len(source),
            "fingerprint": dataset.fingerprint,
        },
        "labelled": len(have),
        "version": runs.code_version(),
        "parent": None,
    }
    runs.write_file(out, pool.encode(header, choice.ids, source.keys, choice.scores))
    shutil.rmtree(passed(out), ignore_errors=True)
    picks = described(choice, dataset, guesses, classes)
    export(given, asked, policy, dataset, picks)
    seconds = time.monotonic() - began
    print(
        f"{out}: {count} of {len(rest)} images by {policy.name}"
        + (f" of {asked.model.label}" if asked else "")
        + (f"; {len(have)} were labelled" if given.labelled else "")
        + (f", {foreign} labelled ones are not in the pool" if foreign else "")
        + f"; {seconds:.1f} s"
    )
    who = asked.origin.get("run") or asked.origin["file"] if asked else "random"
    return Opinion(who, choice, guesses.mix())


def passed(out: Path) -> Path:
    """Where a pass that is not at its end is kept."""
    return out.with_name(f".{out.name}.pass")


def scores_of(given, asked, policy, dataset, out, guesses, board):
    """The function from ids to scores or rows; on its way it notes the surrogate's guesses."""
    source = dataset.pool
    if policy.draw:
        return functools.partial(policy.draw, given.seed, pool=len(source))
    told = informed(policy)
    batch = math.ceil(given.batch / parallel.mesh().size) * parallel.mesh().size

    def score(ids: np.ndarray) -> np.ndarray:
        began = time.monotonic()
        mark = {
            "by": asked.origin,
            "policy": [policy.name, policy.options],
            "data": dataset.fingerprint,
            "ids": runs.digest(ids.tobytes()),
            "batch": batch,
        }
        rows = score_pool(
            asked.model,
            asked.variables,
            told,
            dataset,
            ids,
            batch,
            given.threads,
            parts=Parts(passed(out), mark),
            watch=lambda done, total: board.score(asked.model.label, done, total, began),
        )
        return guesses.split(ids, rows, scores=not policy.pick)

    return score


def described(
    choice: Choice, dataset: Dataset, guesses: Guesses, classes: Sequence[str]
) -> list[exports.Pick]:
    """The picks with what other tools want to know of them."""
    source, picks = dataset.pool, []
    for rank, (id_, score) in enumerate(zip(choice.ids.tolist(), choice.scores, strict=True)):
        path = source.path(id_) if hasattr(source, "path") else None
        predicted = classes[guesses.label[id_]] if classes else ""
        confidence = float(guesses.confidence[id_])
        key, value = source.keys[id_], float(str(score))
        picks.append(exports.Pick(id_, key, value, rank, path, predicted, confidence))
    return picks


def export(given, asked, policy: Policy, dataset: Dataset, picks: Sequence[exports.Pick]) -> None:
    """Everything that was asked for beside the record."""
    if given.csv:
        exports.write_csv(given.csv, picks)
    if given.label_studio:
        version = asked.model.label if asked else "random"
        exports.write_label_studio(given.label_studio, picks, given.url, version)
    if given.fiftyone:
        exports.write_fiftyone(given.fiftyone, picks)
    if given.copy:
        exports.copy(given.copy, picks, dataset.pool)
    if given.sheet:
        sheet.write(given.sheet, asked, policy, dataset, picks)
