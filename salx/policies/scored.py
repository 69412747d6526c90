"""What a policy chooses from: the rows of a pool's examples, and what was chosen before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from salx.infra import mesh
from salx.infra.errors import RunError

Rows = Any  # an array [n, ...], or a dict of such arrays; None where nothing was scored


@dataclass(frozen=True)
class Labelled:
    """The examples that are labelled already: ids int64[L] ascending, with their keys.

    `rows` are theirs, as the policy's `score` gives them, and None unless it needs them; so are
    `labels`, int32[L].
    """

    ids: np.ndarray
    keys: Sequence[str]
    rows: Rows = None
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class Chosen:
    """Picks in order of rank: positions int64[k] among the candidates and scores [k].

    `reason` says why they are fewer than asked for, where they are.
    """

    positions: np.ndarray
    scores: np.ndarray
    reason: str = ""


NOBODY = Chosen(np.zeros(0, np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Scored:
    """The candidates of a choice, equal on every process.

    Attributes:
      ids: int64[n], the examples' numbers in the pool, ascending.
      key: (position) -> the key of the candidate at that position.
      rows: what `score` gave for each, in host memory; None of a policy that asks no surrogate.
      seed: the seed of the study, or of the command.
      pool: how many examples the whole pool has.
      labelled: what is labelled already.
      classifier: (W [d, C], b [C]) of the surrogate's last linear layer, where it was needed.
      chosen: what was chosen already in this round, from other groups of candidates: its `rows`
        and `ids` are those of `labelled`'s kind.
    """

    ids: np.ndarray
    key: Callable[[int], str]
    rows: Rows
    seed: int
    pool: int
    labelled: Labelled
    classifier: tuple[np.ndarray, np.ndarray] | None = None
    chosen: Labelled = field(default_factory=lambda: Labelled(NOBODY.positions, ()))

    def __len__(self) -> int:
        return len(self.ids)

    def sharded(self) -> Rows:
        """Put the rows on the devices, split along their first axis.

        The first axis is filled up with zeros to a multiple of the number of devices.
        """
        devices = jax.device_count()

        def put(array: np.ndarray) -> jax.Array:
            short = -len(array) % devices
            padded = np.pad(array, ((0, short), *[(0, 0)] * (array.ndim - 1)))
            return jax.make_array_from_callback(
                padded.shape, mesh.split(), lambda index: padded[index]
            )

        return jax.tree.map(put, self.rows)

    def centres(self) -> Labelled:
        """Join what is labelled and what was chosen already in this round, in this order."""
        before, now = self.labelled, self.chosen
        if before.rows is None or not len(now.ids):
            return before
        rows = jax.tree.map(lambda a, b: np.concatenate([a, b]), before.rows, now.rows)
        return Labelled(np.concatenate([before.ids, now.ids]), [*before.keys, *now.keys], rows)


def top(scores: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of the `count` highest scores, best first, int64; ties go by id."""
    return np.lexsort((ids, -scores))[:count]


def check_finite(rows: Rows, ids: np.ndarray, keys: Sequence[str]) -> None:
    """Raise RunError for the first example of which a score [n], or row [n, ...], is not finite."""
    for values in jax.tree.leaves(rows):
        finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if not finite.all():
            raise RunError(f"the score of example {keys[ids[np.argmin(finite)]]!r} is not finite")
