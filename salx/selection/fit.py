"""Checks that a policy, a surrogate, a pool and a budget go together, made before any scoring."""

import re
from fractions import Fraction

from salx import policies
from salx.data.datasets import Dataset
from salx.infra.errors import ArgumentError, cut
from salx.infra.numbers import SHOWN, shown
from salx.policies import Policy
from salx.selection.pool import named
from salx.surrogates.surrogate import Surrogate


def policy_of(policy: str | Policy, surrogate: Surrogate | None) -> Policy:
    """Make the policy of a text; one with a module trained along takes the surrogate's module.

    Args:
      policy: a name, `name,option=value`, `module:Class`, or a Policy, which is returned as it is.
      surrogate: who is asked, None for nobody.

    Returns:
      The policy.

    Raises:
      ArgumentError: naming the policy, where the surrogate was not trained with its module, or with
        other options of it.
      InputError: for an unknown policy or option.
    """
    if isinstance(policy, Policy):
        return policy
    name, options = named(policy, "policy")
    kind = policies.kind(name)
    owner, trained = surrogate.head if surrogate and surrogate.head else ("", {})
    if owner == kind.name:
        made, as_trained = (
            policies.build(name, {**trained, **options}),
            policies.build(name, trained),
        )
        if made.needs.head != as_trained.needs.head:
            raise ArgumentError(
                "policy", f"{{name}}={policy}: the module was trained with {trained}, and stays so"
            )
        return made
    made = policies.build(name, options)
    if made.needs.head is not None and surrogate is not None:
        raise ArgumentError(
            "policy",
            f"{{name}}={made.name} needs a surrogate that was trained with its module: "
            f"a run named ... .with.{made.name}",
        )
    return made


def check(surrogate: Surrogate, policy: Policy, dataset: Dataset) -> None:
    """Check that a surrogate and a pool have what a policy needs, and are of one kind.

    Args:
      surrogate: who is asked.
      policy: what chooses.
      dataset: the pool's images as they are.

    Raises:
      ArgumentError: for what the policy needs and the surrogate or the pool lacks, and for a pool
        of another task, number of classes, or of channels than the surrogate's.
    """
    needs, labelled = policy.needs, bool(dataset.classes)
    if (policy.oracle or needs.labels) and not labelled:
        raise ArgumentError("policy", f"{{name}}={policy.name} needs labels, and the pool has none")
    if needs.columns:
        columns = ", ".join(needs.columns)
        raise ArgumentError("policy", f"{{name}}={policy.name} needs the columns {columns}")
    for output in needs.outputs:
        choices = (output,) if isinstance(output, str) else output
        if not surrogate.outputs & set(choices):
            _lacks(surrogate, policy, " or ".join(choices))
    if needs.classifier and surrogate.classifier is None:
        _lacks(surrogate, policy, "a last linear layer over features that can be found")
    if needs.passes.leading and not surrogate.runs(needs.passes):
        kind = type(needs.passes).__name__
        _lacks(surrogate, policy, f"{needs.passes.count} passes with {kind}")
    if labelled and surrogate.task != dataset.task:
        ours, theirs = surrogate.task.name, dataset.task.name
        raise ArgumentError("surrogate", f"{{name}} is for {ours}, {{.pool}} is for {theirs}")
    ours, theirs = len(surrogate.class_names()), len(dataset.classes)
    if labelled and ours != theirs:
        raise ArgumentError("surrogate", f"{{name}} knows {ours} classes, {{.pool}} has {theirs}")
    if surrogate.preprocessing:
        ours, theirs = surrogate.preprocessing.shape[2], dataset.image_shape[2]
        if ours != theirs:
            raise ArgumentError(
                "surrogate",
                f"{{name}} sees {ours} channels, the images of {{.pool}} have {theirs}",
            )


def _lacks(surrogate: Surrogate, policy: Policy, what: str) -> None:
    raise ArgumentError(
        "surrogate",
        f"{{name}}: policy {policy.name!r} needs {what}, which {surrogate.label} has not",
    )


def budget_of(budget: int | str, size: int, rest: int) -> int:
    """Count how many images to choose.

    Args:
      budget: a number, or a share of the whole pool in percent, "2%".
      size: images in the pool.
      rest: images that could be picked.

    Returns:
      A number from 1 to `rest`; a share is rounded to the nearest.

    Raises:
      ArgumentError: for what is neither, and for a number out of these bounds.
    """
    text = shown(budget) if isinstance(budget, int) else str(budget)
    try:
        count = _count(text, size)
    except (ValueError, ZeroDivisionError) as error:
        why = f"{{name}}={cut(text, SHOWN)}: neither a number nor a share such as 2%"
        raise ArgumentError("budget", why) from error
    if not 1 <= count <= rest:
        why = f"{{name}}={text}: {count} of the {rest} images that could be picked"
        raise ArgumentError("budget", why)
    return count


def _count(text: str, size: int) -> int:
    """How many images a budget's text says; raises ValueError where it says none."""
    if len(text) > SHOWN or re.search(r"[eE][+-]?\d{3}", text):
        raise ValueError("too long a number")
    return round(size * Fraction(text[:-1]) / 100) if text.endswith("%") else int(text)
