"""What the command is given: policy, pool, what is labelled, budget; each checked."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from salx import data, selection
from salx.data import Dataset
from salx.errors import InputError
from salx.selection import Policy
from salx.selection.surrogate import Surrogate


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
    height, width = (int(part) for part in text.split(","))
    return height, width


def policy_of(name: str, options: dict[str, Any], asked: Surrogate | None) -> Policy:
    """The policy; learning_loss takes the shape of the module that was trained."""
    if name == "learning_loss":
        trained = (asked.head or {}).get(name) if asked else None
        if not trained:
            raise InputError(
                "--policy=learning_loss needs a surrogate that was trained with its module: "
                "a run named ... .with.learning_loss"
            )
        options = {**trained, **options}
    return selection.build(name, options)


def dataset_of(pool: str, on_error: str, asked: Surrogate | None) -> Dataset:
    """The pool, brought to what the surrogate sees."""
    place = Path(pool).expanduser()
    if place.is_dir():
        config = {"name": "folder", "dir": str(place), "labels": "none"}
    elif place.suffix in (".csv", ".jsonl"):
        config = {"name": "folder", "dir": str(place.parent), "labels": place.name}
    else:
        name, options = named(pool, "--pool")
        if name not in data.SOURCES:
            raise InputError(f"--pool={pool}: no such folder, list or data set")
        config = {"name": name, **options}
    config |= {"on_error": on_error}
    raw = data.load(config, {"evaluate": "fit", "evaluate_size": (8, 8)})
    if not asked:
        return raw
    seen = {k: v for k, v in asked.transform.items() if k.startswith("evaluate")}
    shape = asked.model.image_shape
    if seen.get("evaluate", "none") == "none":
        crop = {"evaluate": "center_crop", "evaluate_resize": max(shape[:2])}
        seen = {"evaluate": "fit"} if asked.task == "segmentation" else crop
        seen |= {"evaluate_size": shape[:2]}
    return data.load(config, seen)


def check_fit(asked: Surrogate | None, policy: Policy, dataset: Dataset) -> None:
    """Raises InputError for a surrogate of another task or number of classes than the pool's."""
    labelled = bool(dataset.classes)
    if asked and labelled and asked.task != dataset.task:
        raise InputError(f"--surrogate is for {asked.task}, --pool is for {dataset.task}")
    if asked and labelled and len(names_of_classes(asked)) != len(dataset.classes):
        raise InputError(
            f"--surrogate knows {len(names_of_classes(asked))} classes, "
            f"--pool has {len(dataset.classes)}"
        )
    if policy.labels and not labelled:
        raise InputError(f"--policy={policy.name} needs labels, and the pool has none")


def names_of_classes(asked: Surrogate) -> tuple[str, ...]:
    """The classes' names, or their numbers."""
    return asked.classes or tuple(str(number) for number in range(asked.model.module.classes))


def labelled_ids(files: Sequence[Path], dataset: Dataset) -> tuple[np.ndarray, int]:
    """The pool's ids among the keys in files, int64 ascending, and how many keys are not there.

    A file is a record, whose lines have a "key", or text with a key a line.
    """
    index = {key: number for number, key in enumerate(dataset.pool.keys)}
    keys: set[str] = set()
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise InputError(f"--labelled={file}: cannot be read: {error}") from error
        for line in filter(str.strip, lines):
            fields = json.loads(line) if file.suffix == ".jsonl" else {"key": line.strip()}
            keys |= {fields["key"]} if "key" in fields else set()
    known = sorted(index[key] for key in keys if key in index)
    return np.array(known, np.int64), len(keys) - len(known)


def budget(text: str, size: int, rest: int) -> int:
    """How many to pick: a number, or a share of the pool in percent."""
    try:
        share = text.endswith("%")
        count = round(size * float(text[:-1]) / 100) if share else int(text)
    except ValueError as error:
        raise InputError(f"--budget={text}: neither a number nor a share such as 2%") from error
    if not 1 <= count <= rest:
        raise InputError(f"--budget={text}: {count} of the {rest} images that could be picked")
    return count
