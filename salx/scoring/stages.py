"""The three stages of a choice: filters, allocation, and the policy's `select` for each group.

A filter leaves candidates out, with a reason; an allocation divides the rest into groups, each
with its share of the budget; then the policy selects from each group in turn, and is shown what
was chosen from those before it. Each stage is told in the record's header.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from salx.data.sources import Source
from salx.infra.errors import RunError
from salx.policies.policy import Policy
from salx.policies.scored import Chosen, Labelled, Rows, Scored, check_finite


class Filter(Protocol):
    """Leave examples out before anything is scored."""

    @property
    def name(self) -> str:
        """Name the filter, as the record calls it."""
        ...

    @property
    def reason(self) -> str:
        """Tell what is true of the examples that the filter leaves out."""
        ...

    def keep(self, ids: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Tell which examples may be chosen.

        Args:
          ids: their numbers in the pool.

        Returns:
          False for those that are left out.
        """


@dataclass(frozen=True)
class NotLabelled:
    """Leave out what is labelled already.

    Attributes:
      labelled: the numbers of the labelled examples in the pool.
      name: as the record calls the filter.
      reason: what is true of the examples that it leaves out.
    """

    labelled: Int[np.ndarray, " L"]
    name: str = "labelled"
    reason: str = "has a label already"

    def keep(self, ids: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Tell which examples are not labelled.

        Args:
          ids: their numbers in the pool.

        Returns:
          False for those that are labelled.
        """
        return ~np.isin(ids, self.labelled)


@dataclass(frozen=True)
class Group:
    """Hold candidates that have one share of the budget.

    Attributes:
      name: as the record calls the group.
      positions: where they are among all candidates.
      count: how many of them are to be chosen.
    """

    name: str
    positions: Int[np.ndarray, " m"]
    count: int


Allocation = Callable[[Int[np.ndarray, " n"], int], Sequence[Group]]  # of candidates' ids


def as_one(ids: Int[np.ndarray, " n"], count: int) -> list[Group]:
    """Allocate the whole budget to one group of all candidates.

    Args:
      ids: the numbers of the candidates in the pool.
      count: how many are to be chosen.

    Returns:
      The group, in a list.
    """
    return [Group("all", np.arange(len(ids)), count)]


@dataclass(frozen=True)
class Candidates:
    """Hold what remains of a pool after the filters.

    Attributes:
      ids: the numbers of the candidates in the pool, ascending.
      filters: of each filter its name, reason and how many it left out, for the record.
    """

    ids: Int[np.ndarray, " n"]
    filters: tuple[dict[str, Any], ...] = ()


def filtered(size: int, filters: Sequence[Filter]) -> Candidates:
    """Apply filters to a pool, one after the other.

    Args:
      size: how many examples the pool has.
      filters: each is asked about what those before it have left.

    Returns:
      The candidates that remain.
    """
    ids, notes = np.arange(size), []
    for each in filters:
        stays = each.keep(ids)
        left_out = int(len(ids) - stays.sum())
        notes.append({"name": each.name, "reason": each.reason, "left_out": left_out})
        ids = ids[stays]
    return Candidates(ids, tuple(notes))


@dataclass(frozen=True)
class Choice:
    """Hold what was chosen.

    Attributes:
      ids: the numbers of the picks in the pool, in order of rank.
      scores: the picks' scores.
      all: the scores of all candidates, None where the policy has rows of another kind.
      groups: of each group its name, how many were asked and how many chosen, for the record.
      reason: why fewer were chosen than asked for; empty where all were.
    """

    ids: Int[np.ndarray, " k"]
    scores: Shaped[np.ndarray, " k"]
    all: Shaped[np.ndarray, " n"] | None
    groups: tuple[dict[str, Any], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Round:
    """Describe one choice from a pool.

    Attributes:
      policy: how to choose.
      source: the pool, for the examples' keys.
      labelled: the numbers of what is labelled already, ascending.
      seed: of the study or the command.
      classifier: (W, b) of the surrogate's last linear layer, where the policy needs it.
      labels: (ids) -> the labels of labelled examples, where the policy needs them.
      allocation: how the budget is divided.
    """

    policy: Policy
    source: Source
    labelled: Int[np.ndarray, " L"]
    seed: int = 0
    classifier: tuple[Float[np.ndarray, "d C"], Float[np.ndarray, " C"]] | None = None
    labels: Callable[[Int[np.ndarray, " m"]], Int[np.ndarray, " m"]] | None = None
    allocation: Allocation = field(default=as_one)


Score = Callable[[Int[np.ndarray, " n"]], Rows]


def choose(turn: Round, candidates: Candidates, count: int, score: Score) -> Choice:
    """Choose `count` of the candidates, or as many as the policy finds.

    Args:
      turn: the policy and what it may know.
      candidates: what can be chosen.
      count: how many to choose.
      score: (ids) -> rows of the pool's examples; not called for a policy that asks nobody.

    Returns:
      The picks, and what the record tells of them.

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
        _check_picks(policy, picks, len(members), group.count)
        at = group.positions[picks.positions]
        chosen = _with(chosen, ids[at], keys, _rows_at(rows, at))
        scores.append(picks.scores)
        reasons += [picks.reason] if picks.reason else []
        notes.append({"group": group.name, "asked": group.count, "chosen": len(at)})
    every = rows if isinstance(rows, np.ndarray) and rows.ndim == 1 else None
    return Choice(chosen.ids, np.concatenate(scores), every, tuple(notes), "; ".join(reasons))


def _check_picks(policy: Policy, picks: Chosen, size: int, count: int) -> None:
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
    """Collect what is labelled already, with its rows and labels where the policy needs them."""
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
    """Select rows by their positions."""
    return jax.tree.map(lambda array: array[positions], rows)


def _with(chosen: Labelled, ids: np.ndarray, keys: Sequence[str], rows: Rows) -> Labelled:
    """Add picks to what was chosen so far."""
    joined = jax.tree.map(lambda a, b: np.concatenate([a, b]), chosen.rows, rows)
    return Labelled(
        np.concatenate([chosen.ids, ids]), [*chosen.keys, *(keys[id_] for id_ in ids)], joined
    )
