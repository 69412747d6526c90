"""The header of a record: who chose, how, from what, and after which record."""

from dataclasses import dataclass
from typing import Any

from salx.data.datasets import Dataset
from salx.infra.version import code_version
from salx.policies import registry
from salx.policies.policy import Policy
from salx.scoring.stages import Candidates, Choice

SHOWN = 100  # keys of examples that were left out as they cannot be read


@dataclass(frozen=True)
class Origin:
    """Name who chose; both fields are None where nobody was asked.

    Attributes:
      surrogate: the label of the surrogate.
      checkpoint: tells which model it was: {"run", "step", "digest"}, {"file", "digest"}, or
        {"members": [...]}.
    """

    surrogate: str | None
    checkpoint: dict[str, Any] | None


@dataclass(frozen=True)
class Where:
    """Name the position of a record in its chain.

    Attributes:
      seed: of the study or the command.
      cycle: counted from 0.
      parent: the digest of the record before it; None for the first.
    """

    seed: int
    cycle: int = 0
    parent: str | None = None


def identity(policy: Policy, dataset: Dataset, origin: Origin, where: Where) -> dict[str, Any]:
    """Make the fields of a record's header that are known before anything is scored.

    Args:
      policy: how it is chosen.
      dataset: from what.
      origin: by whom.
      where: the record's position in its chain.

    Returns:
      The fields, in JSON's types.
    """
    outside = registry.origin(policy)
    return {
        "cycle": where.cycle,
        "surrogate": origin.surrogate,
        "policy": policy.name,
        "options": policy.options,
        **({"policy_origin": outside} if outside else {}),
        "seed": where.seed,
        "checkpoint": origin.checkpoint,
        "data": {
            "name": dataset.name,
            "size": len(dataset.pool),
            "fingerprint": dataset.fingerprint,
        },
        "version": code_version(),
        "parent": where.parent,
    }


def header(
    policy: Policy,
    dataset: Dataset,
    origin: Origin,
    where: Where,
    labelled: int,
    stages: tuple[Candidates, Choice],
) -> dict[str, Any]:
    """Make a record's header.

    Args:
      policy, dataset, origin, where: as for `identity`.
      labelled: how many examples were labelled before.
      stages: what the filters left, and what was chosen of it.

    Returns:
      The header, in JSON's types; `records.encode` adds the number of picks and the digest.
    """
    candidates, choice = stages
    skipped = dataset.skipped
    return {
        **identity(policy, dataset, origin, where),
        "labelled": labelled,
        "filters": list(candidates.filters),
        "groups": list(choice.groups),
        **({"skipped": {"count": len(skipped), "keys": list(skipped[:SHOWN])}} if skipped else {}),
        **({"reason": choice.reason} if choice.reason else {}),
    }
