"""Policies by name: the built-in ones, those of other packages, and `module:Class`."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from salx.infra import limits, registry
from salx.infra.errors import InputError, first_line, renamed, unknown
from salx.policies.policy import POLICIES, Policy


def names() -> list[str]:
    """List the names of all policies: built-in ones, those that were made, and of other packages.

    Returns:
      The names, as `kind` and `build` take them.
    """
    return POLICIES.names()


def origin(policy: Policy) -> dict[str, str] | None:
    """Tell where a policy from outside comes from, for the record.

    Args:
      policy: any policy.

    Returns:
      Its package's version, or its file's digest; None of a built-in one.
    """
    return registry.origin(type(policy))


def kind(name: str) -> type[Policy]:
    """Find the class of a policy.

    Args:
      name: a name of `names`, or `module:Class`.

    Returns:
      The class, which `build` makes with options.

    Raises:
      InputError: for an unknown name, with the nearest one, and for what is no policy.
    """
    made = POLICIES.get(name)
    if not (isinstance(made, type) and issubclass(made, Policy) and is_dataclass(made)):
        raise InputError(f"policy {name!r} must be a frozen dataclass that is a Policy")
    return made


def build(name: str, options: Mapping[str, Any] | None = None, argument: str = "") -> Policy:
    """Make the policy of that name.

    Args:
      name: a name of `names`, or `module:Class`.
      options: its options; {"name": ..., "options": ...} among their values is a policy itself.
      argument: what messages call the options, as "config.options.entropy"; the policy's name
        unless it is said.

    Returns:
      The policy, whose options were checked.

    Raises:
      InputError: for an unknown name or option, or a value that the policy refuses.
    """
    made = kind(name)
    choices = [each.name for each in fields(cast(Any, made))]
    ready = {}
    for option, value in (options or {}).items():
        if option not in choices:
            raise unknown(f"option {argument or f'of policy {made.name}'}", option, choices)
        ready[option] = _built(value, f"{argument or made.name}.{option}")
    with renamed(f"{argument or made.name}."):
        limits.check_options(made, ready)
        try:
            policy = made(**ready)
            hash((policy.scoring_key, policy.needs))  # as compiled scorers are found by it
            return policy
        except InputError:
            raise
        except Exception as error:  # whatever a policy raises about options that it cannot have
            raise InputError(f"{argument or f'policy {made.name}'}: {first_line(error)}") from error


def _built(value: Any, argument: str) -> Any:
    """A value as a frozen dataclass holds it: lists as tuples, nested policies made."""
    if isinstance(value, Mapping):
        limits.check(f"{argument}.name", value.get("name"), str)
        limits.check_section(f"{argument}.options", value.get("options", {}))
        return build(value["name"], value.get("options", {}), f"{argument}.options")
    if isinstance(value, list | tuple):
        return tuple(_built(each, argument) for each in value)
    return value
