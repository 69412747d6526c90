"""Surrogates by what they are loaded from: the one way of the library, commands and studies.

A kind of another package comes through the entry point group `salx.surrogates`: a function
(source, **options) -> Surrogate, or None where the source is not of its kind. `module:Name` names
a Surrogate, a class of one, or a function that makes one.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from salx import tasks
from salx.infra import numbers, paths, storage
from salx.infra.errors import ArgumentError, InputError, first_line, unknown
from salx.infra.registry import Registry
from salx.models.weights import flatten
from salx.surrogates import class_names, function, run, weights
from salx.surrogates.ensemble import Ensemble
from salx.surrogates.surrogate import Surrogate

Kind = Callable[..., Surrogate | None]
LARGEST = 16_384  # pixels of a side
KINDS: Registry[Kind] = Registry("kind of surrogate", "salx.surrogates")


def load(source: Any, **options: Any) -> Surrogate:
    """Load a surrogate of any kind.

    Args:
      source: the folder of a finished run (also in a bucket), a file of weights, `A+B` for an
        ensemble of such, `module:Name`, a function of images, a Surrogate, or a list of any of
        these for an ensemble.
      **options: `size` (height, width), what a file of weights or a function sees of an image;
        `classes` of either, a file of names, "imagenet" or the names; of a file `origin` and
        `weights` (see weights.py), of a function `task` and `outputs`; others go to a kind of
        another package.

    Returns:
      The surrogate; a Surrogate as it is.

    Raises:
      ArgumentError: for a source that is nothing of these, or whose own code fails.
      InputError: naming the file that cannot be used.
    """
    if isinstance(source, Surrogate):
        return source
    if isinstance(source, list | tuple):
        return Ensemble(tuple(load(each, **options) for each in source))
    if callable(source):
        return _of_callable(source, options)
    if not isinstance(source, str | PurePath):
        raise ArgumentError("surrogate", f"{{name}}={source!r} is no surrogate")
    return _of_text(str(source), options)


def _of_text(source: str, options: Mapping[str, Any]) -> Surrogate:
    """A surrogate by a path, a `module:Name`, or several joined by "+"."""
    local = "://" not in source
    if "+" in source and local and not _is_there(source):
        return load(source.split("+"), **options)
    if local and _is_there(source):
        source = str(paths.local(source))
    for name in KINDS.names():
        made = KINDS.get(name)(source, **options)
        if made is not None:
            return made
    if ":" in source and local and not _is_there(source):
        return _of_module(source, options)
    path = paths.local(source, "surrogate") if local else storage.resolve(source)
    return _checked(_of_path(path, options), path)


def files(source: str) -> list[Path]:
    """List the files and folders of this machine that a source's text names.

    Args:
      source: a path, or several joined by "+".

    Returns:
      The paths of those that are there; none in a bucket.
    """
    if "://" in source:
        return []
    if _is_there(source):
        return [paths.local(source)]
    return [path for each in source.split("+") if each != source for path in files(each)]


def _is_there(source: str) -> bool:
    """Whether a text is the name of a file or folder of this machine."""
    return not paths.fault(source) and paths.local(source, "surrogate").exists()


def _of_path(path: Path, options: Mapping[str, Any]) -> Surrogate:
    if storage.in_bucket(path) and not path.is_dir():
        raise InputError(f"{path}: no run's folder; weights must be a file of this machine")
    if path.is_dir():
        return run.load(path)
    known_options = [field.name for field in fields(weights.Options)]
    if strange := sorted(options.keys() - set(known_options)):
        raise unknown("option of {name}", strange[0], known_options, "surrogate")
    size = options.get("size")
    sides = {} if size is None else {"size": _sides_of(size)}
    return weights.load(path, weights.Options(**{**options, **sides}))


def _sides_of(size: Any) -> tuple[int, int]:
    """The sides (height, width) in pixels; raises ArgumentError for what is none."""
    try:
        height, width = size
    except (TypeError, ValueError) as error:
        why = f"{{name}}={numbers.shown(size)} must be (height, width) in pixels"
        raise ArgumentError("size", why) from error
    return numbers.whole("size", height, 1, LARGEST), numbers.whole("size", width, 1, LARGEST)


def _of_callable(answer: Callable, options: Mapping[str, Any]) -> Surrogate:
    task = tasks.get(options.get("task", "classification"))
    classes = class_names.names(options.get("classes") or ())
    outputs = tuple(options.get("outputs", ("logits",)))
    size = options.get("size")
    size = None if size is None else _sides_of(size)
    return function.of_callable(answer, task, classes, size, outputs)


def _checked(surrogate: Surrogate, path: Path) -> Surrogate:
    """Compiled for CPUs, a ReLU may turn what is not a number into 0, and scores hide it."""
    for name, array in flatten(surrogate.variables).items():
        if not np.isfinite(array).all():
            raise InputError(f"{path}: its {name} is not finite")
    return surrogate


def _of_module(source: str, options: Mapping[str, Any]) -> Surrogate:
    """A surrogate that is a `module:Name`, or what that gives when it is called."""
    made = KINDS.get(source, "surrogate")
    if (isinstance(made, type) and issubclass(made, Surrogate)) or (
        callable(made) and not isinstance(made, Surrogate)
    ):
        try:
            made = made(**options)
        except InputError:
            raise
        except Exception as error:  # whatever the code of a user raises
            why = f"{type(error).__name__}: {first_line(error)}"
            raise ArgumentError("surrogate", f"{{name}}={source} fails: {why}") from error
    if not isinstance(made, Surrogate):
        raise ArgumentError("surrogate", f"{{name}}={source}: made {made!r}, no Surrogate")
    if not isinstance(made.origin, dict):
        raise ArgumentError(
            "surrogate", f"{{name}}={source}: its origin is {made.origin!r}, no dict"
        )
    return made
