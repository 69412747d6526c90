"""Policies by name: the built-in ones, those of other packages, and `module:Class`."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from salx.infra.errors import ArgumentError, InputError, unknown
from salx.infra.registry import Registry
from salx.policies.policy import Policy

POLICIES: Registry[type[Policy]] = Registry("policy", "salx.policies", "salx.policies")


def names() -> list[str]:
    """Return the names of the policies that are known: built-in, made, or of other packages."""
    return POLICIES.names()


def origin(policy: Policy) -> dict[str, str] | None:
    """Return where a policy from outside comes from, None of a built-in one."""
    return POLICIES.origin(policy.name)


def build(name: str, options: Mapping[str, Any] | None = None) -> Policy:
    """Make the policy of that name.

    Args:
      name: a known name, or `module:Class`.
      options: its options; {"name": ..., "options": ...} among their values is a policy itself.

    Raises:
      InputError: for an unknown name or option, or a value that the policy refuses.
    """
    kind = POLICIES.get(name)
    choices = [each.name for each in fields(kind)]
    ready = {}
    for option, value in (options or {}).items():
        if option not in choices:
            raise unknown(f"option of policy {kind.name}", option, choices)
        ready[option] = _built(value)
    try:
        return kind(**ready)
    except (TypeError, ValueError) as error:
        raise InputError(f"policy {kind.name}: {error}") from error


def _built(value: Any) -> Any:
    """A value as a frozen dataclass holds it: lists as tuples, nested policies made."""
    if isinstance(value, Mapping):
        return build(value.get("name", ""), value.get("options", {}))
    return tuple(map(_built, value)) if isinstance(value, list | tuple) else value
