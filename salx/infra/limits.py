"""Limits of an option's values, written in its annotation: `width: Annotated[int, Whole(1, 1024)]`.

One reading of annotations serves the fields of dataclasses, such as a config's sections and
policies, and the parameters of constructors, such as those of models and data sets. Parts from
outside say nothing of ranges, but their types are checked too. An annotation that is none of
Python's plain types, such as a class of jax, allows everything.
"""

import collections.abc
import contextlib
import inspect
import math
import numbers
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import PurePath
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin, runtime_checkable

from salx.infra.errors import ArgumentError, unknown
from salx.infra.numbers import MOST, real, shown, whole

LEAST_64, MOST_64 = -(2**63), 2**63 - 1
LONGEST, DEEPEST = 1_000_000, 16  # entries of a list, and lists or sections in one another
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
SEQUENCES = (tuple, list, collections.abc.Sequence, collections.abc.Iterable)
SECTIONS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


@runtime_checkable
class Limit(Protocol):
    """Restrict the values that a type allows, as a part of its annotation."""

    def check(self, argument: str, value: Any) -> None:
        """Check a value.

        Args:
          argument: the name of the option, for the message.
          value: what the user gave.

        Raises:
          ArgumentError: naming the option, for a value that is not allowed.
        """


@dataclass(frozen=True)
class Whole(Limit):
    """Allow whole numbers from `least` to `most`.

    Attributes:
      least: the smallest.
      most: the largest.
    """

    least: int = 0
    most: int = MOST

    def check(self, argument: str, value: Any) -> None:
        """Check that a value is such a whole number."""
        whole(argument, value, self.least, self.most)


@dataclass(frozen=True)
class Real(Limit):
    """Allow finite numbers of an interval.

    Attributes:
      within: the interval as in mathematics: `"[0, 1)"` for 0 <= value < 1.
    """

    within: str

    def check(self, argument: str, value: Any) -> None:
        """Check that a value is a finite number of the interval."""
        real(argument, value, self.within)


@dataclass(frozen=True)
class OneOf(Limit):
    """Allow one of several words.

    Attributes:
      choices: the words.
    """

    choices: tuple[str, ...]

    def check(self, argument: str, value: Any) -> None:
        """Check that a value is one of the words; the error names the nearest."""
        if not isinstance(value, str) or value not in self.choices:
            raise unknown("{name}", str(value), self.choices, argument)


@dataclass(frozen=True)
class Matching(Limit):
    """Allow texts of a pattern.

    Attributes:
      pattern: a regular expression that matches the whole text.
      rule: what the text may be, in words, as the end of a sentence: "may hold letters only".
    """

    pattern: str
    rule: str

    def check(self, argument: str, value: Any) -> None:
        """Check that a value is a text of the pattern."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ArgumentError(argument, f"{{name}}: {shown(value)} {self.rule}")


def check_options(owner: Callable[..., Any], options: Mapping[str, Any], prefix: str = "") -> None:
    """Check the values of options against what their owner's annotations allow.

    Args:
      owner: a dataclass, or a function, whose parameters the options are. A value that is the
        parameter's default is allowed, and so is an option that it has not.
      options: the values by name.
      prefix: what stands before an option's name in messages.

    Raises:
      ArgumentError: naming the option.
    """
    known_parameters = parameters(owner)
    for name, value in options.items():
        parameter = known_parameters.get(name)
        if parameter is not None and value is not parameter.default:
            check(f"{prefix}{name}", value, parameter.annotation)


def parameters(owner: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function or a class.

    Annotations that are text are resolved where they can be.

    Args:
      owner: anything that can be called.

    Returns:
      The parameters by name; none for an object that has no signature, such as some of C.
    """
    with contextlib.suppress(Exception):  # a name in an annotation need not be there at run time
        return inspect.signature(owner, eval_str=True).parameters
    with contextlib.suppress(TypeError, ValueError):
        return inspect.signature(owner).parameters
    return {}


def annotation_of(owner: Callable[..., Any], name: str) -> Any:
    """Return the annotation of one parameter.

    Args:
      owner: a function, or a dataclass, whose fields are parameters.
      name: the parameter.

    Returns:
      The annotation, with its limits.
    """
    return parameters(owner)[name].annotation


def check(argument: str, value: Any, annotation: Any) -> None:
    """Check one value against an annotation.

    Args:
      argument: the name of the option, for the message.
      value: what the user gave.
      annotation: one of Python's plain types, a list, a mapping, a union, a Literal, a dataclass,
        or any of these with limits in an Annotated; every other annotation allows everything.

    Raises:
      ArgumentError: naming the option, or the entry within it.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        rules = [each for each in inner[1:] if isinstance(each, Limit)]
        for rule in rules:
            rule.check(argument, value)
        if get_origin(inner[0]) or not rules:
            check(argument, value, inner[0])
    elif origin in (Union, types.UnionType):
        _check_union(argument, value, inner)
    elif origin is Literal:
        if not any(type(each) is type(value) and each == value for each in inner):
            choices = ", ".join(map(repr, inner))
            raise ArgumentError(argument, f"{{name}}={shown(value)} must be one of {choices}")
    elif (origin or annotation) in SEQUENCES:
        _check_sequence(argument, value, inner)
    elif (origin or annotation) in SECTIONS:
        check_section(argument, value)
        for name, each in value.items() if inner else ():
            check(argument, name, inner[0])
            check(f"{argument}.{name}", each, inner[1])
    elif isinstance(annotation, type) and is_dataclass(annotation):
        if not isinstance(value, annotation):
            check_section(argument, value)
            check_options(annotation, value, f"{argument}.")
    else:
        _check_scalar(argument, value, annotation)


def check_section(argument: str, value: Any) -> None:
    """Check that a value is a mapping from names to values.

    Args:
      argument: the name of the option, for the message.
      value: what the user gave.

    Raises:
      ArgumentError: naming the option, for anything else.
    """
    if not isinstance(value, Mapping):
        raise ArgumentError(argument, f"{{name}} must be a section, not {shown(value)}")


def _check_union(argument: str, value: Any, alternatives: Sequence[Any]) -> None:
    """Check a value against alternatives, of which one must fit; the first that fails says why."""
    errors = []
    for each in alternatives:
        try:
            return check(argument, value, each)
        except ArgumentError as error:
            errors.append(error)
    raise errors[0]


def _check_sequence(argument: str, value: Any, inner: tuple[Any, ...]) -> None:
    """Check a list or tuple: all entries are of one kind, or those of a tuple of one kind each."""
    if not isinstance(value, list | tuple):
        raise ArgumentError(argument, f"{{name}}={shown(value)} must be a list")
    several = len(inner) == 1 or inner[1:] == (...,)
    kinds = [inner[0]] * len(value) if several else list(inner)
    if kinds and len(kinds) != len(value):
        why = f"must be a list of {len(kinds)} values"
        raise ArgumentError(argument, f"{{name}}={shown(value)} {why}")
    for number, (each, kind) in enumerate(zip(value, kinds, strict=False)):
        check(f"{argument}[{number}]", each, kind)


def _check_scalar(argument: str, value: Any, annotation: Any) -> None:
    """Check a value against one of Python's plain types; any other annotation allows everything."""
    rule = ""
    if annotation is int:
        whole(argument, value, LEAST_64, MOST_64)
    elif annotation is float:
        real(argument, value, "(-inf, inf)")
    elif annotation is bool and not isinstance(value, bool):
        rule = "must be True or False"
    elif annotation is str and not isinstance(value, str):
        rule = "must be text"
    elif annotation in (None, types.NoneType) and value is not None:
        rule = "must be None"
    if rule:
        raise ArgumentError(argument, f"{{name}}={shown(value)} {rule}")


def plain(value: Any, argument: str = "", depth: int = DEEPEST) -> Any:
    """Convert a value to the types of JSON, besides tuples.

    Numbers of numpy become Python's, paths become text, and ranges become tuples.

    Args:
      value: what a user wrote in a config.
      argument: its name, for the message; "" for the whole config, whose entries have names.
      depth: how deep it may hold lists and sections.

    Returns:
      The value: None, bool, int, float, str, and lists, tuples and dicts of these.

    Raises:
      ArgumentError: naming the innermost value that JSON cannot hold: NaN and infinity among
        numbers, other objects, names that are no text.
    """
    rule = "must be a number, text, True, False, None, a list or a section"
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()
    if depth < 0:
        rule = "has lists or sections in one another too often"
    elif value is None or isinstance(value, bool):
        return value
    elif isinstance(value, numbers.Integral):
        return int(value)
    elif isinstance(value, numbers.Real):
        number = float(value)
        if math.isfinite(number):
            return number
        rule = "must be a finite number"
    elif isinstance(value, str | PurePath):
        text = str(value)
        if text == text.encode("utf-8", "ignore").decode():
            return text
        rule = "must be text in UTF-8"
    elif isinstance(value, list | tuple | range):
        if not value[LONGEST:]:
            each = [plain(v, f"{argument}[{i}]", depth - 1) for i, v in enumerate(value)]
            return each if isinstance(value, list) else tuple(each)
        rule = f"must have at most {LONGEST:,} entries"
    elif isinstance(value, Mapping):
        return _plain_section(value, argument, depth)
    raise ArgumentError(argument or "the config", f"{{name}}={shown(value)} {rule}")


def _plain_section(value: Mapping[Any, Any], argument: str, depth: int) -> dict[str, Any]:
    """Convert a section, whose names must be text."""
    above = f"{argument}." if argument else ""
    for name in value:
        if not isinstance(name, str):
            raise ArgumentError(f"{above}{shown(name)}", "{name}: a name must be text")
    return {name: plain(each, f"{above}{name}", depth - 1) for name, each in value.items()}
