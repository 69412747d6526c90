"""What the command writes beside the record."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from salx import records
from salx.data.datasets import Dataset
from salx.infra import mesh
from salx.infra.errors import InputError
from salx.policies import Policy
from salx.scoring.choice import Choice
from salx.scoring.predictions import Guesses
from salx.selection import exports, inputs, sheet
from salx.surrogates.surrogate import Surrogate

BESIDE = ("csv", "label_studio", "fiftyone", "sheet", "copy")  # outputs beside the record
FOLDERS = ("fiftyone", "copy")


def check(given: argparse.Namespace) -> None:
    """Nothing is scored for an output that cannot be written, or would replace another file."""
    if given.out.suffix != ".jsonl":
        raise InputError(f"--out={given.out}: must be named .jsonl")
    if given.sheet and given.sheet.suffix not in sheet.KINDS:
        raise InputError(f"--sheet={given.sheet}: must be named {' or '.join(sheet.KINDS)}")
    taken = {file.absolute(): "labelled" for file in given.labelled}
    for flag in ("out", *BESIDE):
        path = getattr(given, flag)
        if not path:
            continue
        if flag != "out" and len(given.surrogate) > 1:
            raise InputError(f"--{flag} needs a single --surrogate")
        above = next(place for place in path.absolute().parents if place.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise InputError(f"--{flag}={path}: {above} is not a folder that can be written")
        if path.exists() and path.is_dir() != (flag in FOLDERS):
            raise InputError(f"--{flag}={path}: is {'a' if path.is_dir() else 'no'} folder")
        if path.absolute() in taken:
            raise InputError(f"--{flag}={path}: is --{taken[path.absolute()]} already")
        taken[path.absolute()] = flag
    if given.fiftyone and not inputs.root_of(given.pool):
        raise InputError(f"--fiftyone needs files of images, which --pool={given.pool} has not")


def described(
    choice: Choice,
    dataset: Dataset,
    guesses: Guesses,
    classes: Sequence[str],
    root: Path | None,
) -> list[exports.Pick]:
    """The picks with what other tools want to know of them."""
    keys, picks = dataset.pool.keys, []
    for rank, (id_, score) in enumerate(zip(choice.ids.tolist(), choice.scores, strict=True)):
        path = root / keys[id_] if root else None
        predicted = classes[guesses.label[id_]] if classes else None
        confidence = float(guesses.confidence[id_]) if classes else None
        value = records.written(score)
        picks.append(exports.Pick(id_, keys[id_], value, rank, path, predicted, confidence))
    return picks


def export(
    given: argparse.Namespace,
    asked: Surrogate | None,
    policy: Policy,
    dataset: Dataset,
    picks: Sequence[exports.Pick],
) -> None:
    """Everything that was asked for beside the record."""
    if given.csv:
        exports.write_csv(given.csv, picks)
    if given.label_studio:
        version = asked.model.label if asked else policy.name
        exports.write_label_studio(given.label_studio, picks, given.url, version)
    if given.fiftyone:
        exports.write_fiftyone(given.fiftyone, picks)
    if given.copy:
        exports.copy(given.copy, picks, dataset.pool)
    if given.sheet:
        sheet.write(given.sheet, asked, policy, dataset, picks, mesh.mesh().size)
