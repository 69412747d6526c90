"""Policies by name: the built-in ones, those of other packages, and `module:Class`."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from salx.infra import registry
from salx.infra.errors import InputError, unknown
from salx.policies.policy import POLICIES, Policy


def names() -> list[str]:
    """Return the names of the policies that are known: built-in, made, or of other packages."""
    return POLICIES.names()


def origin(policy: Policy) -> dict[str, str] | None:
    """Return where a policy from outside comes from, None of a built-in one."""
    return registry.origin(type(policy))


def kind(name: str) -> type[Policy]:
    """Return the class of the policy of that name, or of `module:Class`."""
    made = POLICIES.get(name)
    if not (isinstance(made, type) and issubclass(made, Policy) and is_dataclass(made)):
        raise InputError(f"policy {name!r} must be a frozen dataclass that is a Policy")
    return made


def build(name: str, options: Mapping[str, Any] | None = None) -> Policy:
    """Make the policy of that name.

    Args:
      name: a known name, or `module:Class`.
      options: its options; {"name": ..., "options": ...} among their values is a policy itself.

    Raises:
      InputError: for an unknown name or option, or a value that the policy refuses.
    """
    made = kind(name)
    choices = [each.name for each in fields(cast(Any, made))]
    ready = {}
    for option, value in (options or {}).items():
        if option not in choices:
            raise unknown(f"option of policy {made.name}", option, choices)
        ready[option] = _built(value)
    try:
        return made(**ready)
    except (TypeError, ValueError) as error:
        raise InputError(f"policy {made.name}: {error}") from error


def _built(value: Any) -> Any:
    """A value as a frozen dataclass holds it: lists as tuples, nested policies made."""
    if isinstance(value, Mapping):
        return build(value.get("name", ""), value.get("options", {}))
    return tuple(map(_built, value)) if isinstance(value, list | tuple) else value
