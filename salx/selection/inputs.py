"""What the command is given: policy, pool, what is labelled, budget; each checked."""

import argparse
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from salx import policies
from salx.data import datasets
from salx.data.datasets import Dataset
from salx.data.folder import LISTS
from salx.infra.errors import InputError, unknown
from salx.policies import Policy
from salx.surrogates.surrogate import Surrogate


def named(text: str, flag: str) -> tuple[str, dict[str, Any]]:
    """("entropy", {"aggregation": "mean"}) of "entropy,aggregation=mean"; values are JSON, or
    else text."""
    name, *rest = text.split(",")
    options = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"{flag}={text}: {part!r} is not option=value")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return name, options


def pair(text: str) -> tuple[int, int]:
    """(h, w) of "h,w"."""
    try:
        height, width = (int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--size={text}: must be H,W in pixels") from error
    if min(height, width) < 1:
        raise InputError(f"--size={text}: must be at least 1,1")
    return height, width


def check_numbers(given: argparse.Namespace) -> None:
    for flag, least in (("batch", 1), ("threads", 0)):
        if getattr(given, flag) < least:
            raise InputError(f"--{flag}={getattr(given, flag)}: must be at least {least}")


def check_policy(name: str, surrogates: Sequence[str]) -> None:
    """Raises InputError for an unknown policy, or one that has nobody to ask."""
    if name not in policies.POLICIES:
        raise unknown("policy", name, policies.POLICIES)
    if name != "random" and not surrogates:
        raise InputError(f"--surrogate is required by policy {name!r}")


def policy_of(name: str, options: dict[str, Any], asked: Surrogate | None) -> Policy:
    """The policy; learning_loss takes the shape of the module that was trained."""
    if name == "learning_loss":
        trained = (asked.head or {}).get(name)
        if not trained:
            raise InputError(
                "--policy=learning_loss needs a surrogate that was trained with its module: "
                "a run named ... .with.learning_loss"
            )
        for option in options:
            if option != "aggregation":
                raise unknown("option of policy learning_loss here", option, ["aggregation"])
        options = {**trained, **options}
    return policies.build(name, options)


def is_list(pool: str) -> bool:
    return pool.endswith(LISTS) and Path(pool).expanduser().is_file()


def root_of(pool: str) -> Path | None:
    """The folder that the keys of a folder's or a list's images start from."""
    place = Path(pool).expanduser()
    return place.parent if is_list(pool) else place if place.is_dir() else None


def dataset_of(pool: str, on_error: str) -> Dataset:
    """The pool, as it is."""
    root = root_of(pool)
    if root:
        labels = Path(pool).name if is_list(pool) else "none"
        config = {"name": "folder", "dir": str(root), "labels": labels}
    else:
        name, options = named(pool, "--pool")
        if name not in datasets.SOURCES:
            raise InputError(f"--pool={pool}: no such folder, list or data set")
        config = {"name": name, **options}
    return datasets.raw({"on_error": on_error, **config})


def seen_by(asked: Surrogate, dataset: Dataset) -> Dataset:
    """The pool brought to what the surrogate sees: as when it was evaluated, and where that was
    an image as it is, a middle crop, or of pixels the whole."""
    seen = {k: v for k, v in asked.transform.items() if k.startswith("evaluate")}
    shape = asked.model.image_shape
    if seen.get("evaluate", "none") == "none" and dataset.image_shape != shape:
        crop = {"evaluate": "center_crop", "evaluate_resize": max(shape[:2])}
        seen = {"evaluate": "fit"} if asked.task.dense else crop
        seen |= {"evaluate_size": shape[:2]}
    crop = {"train": "pad_crop", "size": shape[:2]}  # nothing is trained, whatever the sizes
    dataset = dataset._replace(task=asked.task)  # a pool without labels does not know it
    return datasets.transformed(dataset, {**seen, **crop})


def check_fit(asked: Surrogate | None, policy: Policy, dataset: Dataset) -> None:
    """Raises InputError for a pool of another task, number of classes, or of channels than the
    surrogate's, or without the labels that a policy needs."""
    labelled = bool(dataset.classes)
    if policy.labels and not labelled:
        raise InputError(f"--policy={policy.name} needs labels, and the pool has none")
    if not asked:
        return
    if labelled and asked.task != dataset.task:
        raise InputError(f"--surrogate is for {asked.task.name}, --pool is for {dataset.task.name}")
    ours, theirs = len(names_of_classes(asked)), len(dataset.classes)
    if labelled and ours != theirs:
        raise InputError(f"--surrogate knows {ours} classes, --pool has {theirs}")
    ours, theirs = asked.model.image_shape[2], dataset.image_shape[2]
    if ours != theirs:
        raise InputError(f"--surrogate sees {ours} channels, the images of --pool have {theirs}")


def names_of_classes(asked: Surrogate) -> tuple[str, ...]:
    """The classes' names, or their numbers."""
    return asked.classes or tuple(str(number) for number in range(asked.model.module.classes))


def labelled_ids(files: Sequence[Path], dataset: Dataset) -> tuple[np.ndarray, int]:
    """The pool's ids among the keys in files, int64 ascending, and how many keys are not there.

    A file is a record, whose lines have a "key", or text with a key a line. Raises InputError,
    naming the file and its line.
    """
    keys = {key for file in files for key in keys_in(file)}
    known = [number for number, key in enumerate(dataset.pool.keys) if key in keys]
    return np.array(known, np.int64), len(keys) - len(known)


def keys_in(file: Path) -> list[str]:
    """The keys that a file names."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(f"--labelled={file}: cannot be read: {error}") from error
    if file.suffix != ".jsonl":
        return [line.strip() for line in lines if line.strip()]
    keys = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            fields = parsed(line)
            if "key" in fields:
                keys.append(str(fields["key"]))
            elif "format" not in fields:  # which a record's header has
                raise InputError(f"--labelled={file}: line {number} is no JSON with a key")
    return keys


def parsed(line: str) -> dict[str, Any]:
    """A line's JSON object, or nothing."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def budget(text: str, size: int, rest: int) -> int:
    """How many to pick: a number, or a share of the pool in percent."""
    try:
        share = text.endswith("%")
        count = round(size * Fraction(text[:-1]) / 100) if share else int(text)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(f"--budget={text}: neither a number nor a share such as 2%") from error
    if not 1 <= count <= rest:
        raise InputError(f"--budget={text}: {count} of the {rest} images that could be picked")
    return count
