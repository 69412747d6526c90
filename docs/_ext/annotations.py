"""What annotations and docstrings say of options, in words: types, rules, meanings."""

import inspect
import re
import types
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from salx.infra import limits
from salx.infra.limits import Limit, Matching, OneOf, Real, Whole
from salx.infra.numbers import MOST

ENTRY = re.compile(r"^( +)([\w*]+(?:, [\w*]+)*)(?: \([^)]*\))?: +(.*)$")


@dataclass(frozen=True)
class Option:
    """A field or a parameter that a user may set.

    Attributes:
      name: its name.
      kind: its type, in a word.
      default: its default as Python writes it; "" where it has none.
      rule: which values it may have; "" where the type says all.
      meaning: what it is for, from the owner's docstring; "" where that says nothing.
    """

    name: str
    kind: str
    default: str
    rule: str
    meaning: str


def options(owner: Callable[..., Any]) -> list[Option]:
    """List the options of a dataclass or a function, in order."""
    meanings = described(owner)
    return [
        Option(
            name=name,
            kind=kind(parameter.annotation),
            default=default(parameter.default),
            rule=rule(parameter.annotation),
            meaning=meanings.get(name, ""),
        )
        for name, parameter in limits.parameters(owner).items()
        if parameter.kind in limits.NAMED
    ]


def section(owner: Any, heading: str) -> str:
    """Return the text of a docstring's section, as of "Args:"; "" where there is none."""
    text = inspect.cleandoc(owner.__doc__ or "")
    match = re.search(rf"^{heading}:\n((?: .*\n?|\n)+)", text, re.MULTILINE)
    return inspect.cleandoc(match[1]).strip() if match else ""


def summary(owner: Any) -> str:
    """Return a docstring's text before its first section."""
    text = inspect.cleandoc(owner.__doc__ or "")
    return re.split(r"^\w+:\n", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def described(owner: Any) -> dict[str, str]:
    """Return what a docstring's `Args:` or `Attributes:` says, by name."""
    meanings: dict[str, str] = {}
    for heading in ("Args", "Attributes"):
        names: list[str] = []
        for line in section(owner, heading).splitlines():
            entry = ENTRY.match(f" {line}") if not line.startswith(" ") else None
            if entry:
                names = entry[2].split(", ")
                meanings |= dict.fromkeys(names, entry[3])
            else:
                meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
    return meanings


def kind(annotation: Any) -> str:
    """Say an annotation's type in a word, as `tuple of int`."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(inner[0])
    if origin is Literal:
        return type(inner[0]).__name__
    if origin in (Union, types.UnionType):
        return " or ".join(kind(each) for each in inner)
    if origin in limits.SECTIONS:
        return "section"
    if origin in limits.SEQUENCES:
        words = list(dict.fromkeys(kind(each) for each in inner if each is not ...))
        return f"tuple of {' and '.join(words)}"
    return "section" if is_dataclass(annotation) else getattr(annotation, "__name__", "any")


def rule(annotation: Any) -> str:
    """Say which values an annotation allows; "" for all of the type."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        words = [limit(each) for each in inner[1:] if isinstance(each, Limit)]
        return "; ".join(filter(None, words)) or rule(inner[0])
    if origin is Literal:
        return f"one of {', '.join(map(repr, inner))}"
    if origin in limits.SEQUENCES:
        words = list(dict.fromkeys(filter(None, (rule(e) for e in inner if e is not ...))))
        return f"each {words[0]}" if len(words) == 1 else ""
    return ""


def limit(rule: Limit) -> str:
    """Say in words what a limit allows."""
    match rule:
        case Whole(least=least, most=most):
            return f"at least {least:,}" if most >= MOST else f"from {least:,} to {most:,}"
        case Real(within=within):
            return f"in {within}"
        case OneOf(choices=choices):
            return f"one of {', '.join(map(repr, choices))}"
        case Matching(rule=words):
            return words
    words = summary(type(rule)).rstrip(".")
    fields = {name: f"{value:g}" for name, value in vars(rule).items()}
    return re.sub(r"`(\w+)`", lambda name: fields.get(name[1], name[0]), words)


def default(value: Any) -> str:
    """Write a default as Python does; "" for none, or for a whole section."""
    empty = value is inspect.Parameter.empty or type(value).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"
    return "" if empty else repr(value)
