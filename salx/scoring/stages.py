"""The three stages of a choice: filters, allocation, and the policy's `select` for each group.

A filter leaves candidates out, with a reason; an allocation parts the rest into groups, each with
its share of the budget; then the policy selects from each group in turn, and sees what was chosen
from those before it. Each stage is told in the record's header.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import numpy as np

from salx.data.sources import Source
from salx.infra.errors import RunError
from salx.policies.policy import Policy
from salx.policies.scored import Chosen, Labelled, Rows, Scored, check_finite


class Filter(Protocol):
    """Leaves examples out before anything is scored."""

    @property
    def name(self) -> str:
        """What the record calls it."""
        ...

    @property
    def reason(self) -> str:
        """What is true of those that it leaves out."""
        ...

    def keep(self, ids: np.ndarray) -> np.ndarray:
        """Tell which of the pool's examples `ids` may be chosen, bool like ids."""


@dataclass(frozen=True)
class NotLabelled:
    """Leaves out what is labelled already: ids int64[L]."""

    labelled: np.ndarray
    name: str = "labelled"
    reason: str = "has a label already"

    def keep(self, ids: np.ndarray) -> np.ndarray:
        """Tell which ids are not labelled."""
        return ~np.isin(ids, self.labelled)


@dataclass(frozen=True)
class Group:
    """Candidates that share a part of the budget: positions int64[m] among them, and the count."""

    name: str
    positions: np.ndarray
    count: int


Allocation = Callable[[np.ndarray, int], Sequence[Group]]  # (candidate ids, count) -> groups


def as_one(ids: np.ndarray, count: int) -> list[Group]:
    """Allocate the whole budget to one group of all candidates."""
    return [Group("all", np.arange(len(ids)), count)]


@dataclass(frozen=True)
class Candidates:
    """What remains of a pool after the filters.

    Attributes:
      ids: int64[n], ascending.
      filters: of each filter its name, reason and how many it left out, for the record.
    """

    ids: np.ndarray
    filters: tuple[dict[str, Any], ...] = ()


def filtered(size: int, filters: Sequence[Filter]) -> Candidates:
    """Apply the filters, one after the other, to a pool of `size` examples."""
    ids, notes = np.arange(size), []
    for each in filters:
        stays = each.keep(ids)
        left_out = int(len(ids) - stays.sum())
        notes.append({"name": each.name, "reason": each.reason, "left_out": left_out})
        ids = ids[stays]
    return Candidates(ids, tuple(notes))


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
      ids: int64[k], in order of rank.
      scores: [k], the picks' scores.
      all: the scores of all candidates, None where the policy has rows of another kind.
      groups: of each group its name, how many were asked and how many chosen, for the record.
      reason: why fewer were chosen than asked for; empty where all were.
    """

    ids: np.ndarray
    scores: np.ndarray
    all: np.ndarray | None
    groups: tuple[dict[str, Any], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Round:
    """One choice from a pool.

    Attributes:
      policy: how to choose.
      source: the pool, for the examples' keys.
      labelled: ids int64[L] of what is labelled already, ascending.
      seed: of the study or the command.
      classifier: the surrogate's last linear layer, where the policy needs it.
      labels: (ids) -> int32 labels of labelled examples, where the policy needs them.
      allocation: how the budget is shared out.
    """

    policy: Policy
    source: Source
    labelled: np.ndarray
    seed: int = 0
    classifier: tuple[np.ndarray, np.ndarray] | None = None
    labels: Callable[[np.ndarray], np.ndarray] | None = None
    allocation: Allocation = field(default=as_one)


Score = Callable[[np.ndarray], Rows]


def choose(turn: Round, candidates: Candidates, count: int, score: Score) -> Choice:
    """Choose `count` of the candidates, or as many as the policy finds.

    Args:
      turn: the policy and what it may know.
      candidates: what can be chosen.
      count: how many to choose.
      score: (ids) -> rows of the pool's examples; not called for a policy that asks nobody.

    Raises:
      RunError: naming the example, for a score or row that is not finite; naming the policy, if
        it chooses an example twice, or more than it was asked for.
    """
    policy, ids, keys = turn.policy, candidates.ids, turn.source.keys
    rows = score(ids) if policy.asks else None
    check_finite(rows, ids, keys)
    labelled = _labelled(turn, score, rows)
    chosen = Labelled(np.zeros(0, np.int64), (), _rows_at(rows, np.zeros(0, np.int64)))
    scores, notes, reasons = [], [], []
    for group in turn.allocation(ids, count):
        members = ids[group.positions]
        scored = Scored(
            ids=members,
            key=lambda position, members=members: keys[members[position]],
            # One group of all candidates has the rows themselves: a copy may not fit.
            rows=rows if len(members) == len(ids) else _rows_at(rows, group.positions),
            seed=turn.seed,
            pool=len(turn.source),
            labelled=labelled,
            classifier=turn.classifier,
            chosen=chosen,
        )
        picks = policy.select(scored, group.count)
        check_picks(policy, picks, len(members), group.count)
        at = group.positions[picks.positions]
        chosen = _with(chosen, ids[at], keys, _rows_at(rows, at))
        scores.append(picks.scores)
        reasons += [picks.reason] if picks.reason else []
        notes.append({"group": group.name, "asked": group.count, "chosen": len(at)})
    every = rows if isinstance(rows, np.ndarray) and rows.ndim == 1 else None
    return Choice(chosen.ids, np.concatenate(scores), every, tuple(notes), "; ".join(reasons))


def check_picks(policy: Policy, picks: Chosen, size: int, count: int) -> None:
    """Raise RunError unless the picks are distinct, of the candidates, and at most `count`."""
    positions = np.asarray(picks.positions)
    if len(positions) > count:
        raise RunError(
            f"policy {policy.name} chose {len(positions)} examples where {count} were asked"
        )
    if len(set(positions.tolist())) < len(positions):
        raise RunError(f"policy {policy.name} chose an example twice")
    if len(positions) and not (positions.min() >= 0 and positions.max() < size):
        raise RunError(f"policy {policy.name} chose what is no candidate")
    if len(picks.scores) != len(positions):
        raise RunError(f"policy {policy.name} gave {len(picks.scores)} scores for its picks")
    if len(positions) < count and not picks.reason:
        raise RunError(f"policy {policy.name} chose {len(positions)} of {count} and gave no reason")


def _labelled(turn: Round, score: Score, rows: Rows) -> Labelled:
    """What is labelled already, with its rows and labels where the policy needs them."""
    needs, ids = turn.policy.needs, turn.labelled
    keys = [turn.source.keys[id_] for id_ in ids]
    its_rows = labels = None
    if needs.labelled:
        its_rows = score(ids) if len(ids) else _rows_at(rows, np.zeros(0, np.int64))
        check_finite(its_rows, ids, turn.source.keys)
    if needs.labels and turn.labels is not None:
        labels = turn.labels(ids)
    return Labelled(ids, keys, its_rows, labels)


def _rows_at(rows: Rows, positions: np.ndarray) -> Rows:
    return jax.tree.map(lambda array: array[positions], rows)


def _with(chosen: Labelled, ids: np.ndarray, keys: Sequence[str], rows: Rows) -> Labelled:
    """What was chosen so far, and more."""
    joined = jax.tree.map(lambda a, b: np.concatenate([a, b]), chosen.rows, rows)
    return Labelled(
        np.concatenate([chosen.ids, ids]), [*chosen.keys, *(keys[id_] for id_ in ids)], joined
    )
