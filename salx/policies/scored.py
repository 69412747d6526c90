"""What a policy chooses from: the rows of a pool's examples, and what was chosen before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int, Int64, Shaped

from salx.infra import mesh
from salx.infra.errors import RunError

Rows = Any  # an array [n, ...], or a dict of such arrays; None where nothing was scored


@dataclass(frozen=True)
class Labelled:
    """Hold the examples that are labelled already.

    Attributes:
      ids: their numbers in the pool, ascending.
      keys: their names, in the order of the ids.
      rows: what the policy's `score` gives for them, arrays [n, ...]; None unless it needs them.
      labels: of each the class; None unless the policy needs them.
    """

    ids: Int64[np.ndarray, " n"]
    keys: Sequence[str]
    rows: Rows = None
    labels: Int[np.ndarray, " n"] | None = None


@dataclass(frozen=True)
class Chosen:
    """Hold what a policy picked, best first.

    Attributes:
      positions: of the picks among the candidates, from 0.
      scores: of each pick; what they are is the policy's choice.
      reason: why there are fewer than were to be chosen; "" where there are not.
    """

    positions: Int[np.ndarray, " k"]
    scores: Shaped[np.ndarray, " k"]
    reason: str = ""


NOBODY = Chosen(np.zeros(0, np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Scored:
    """Hold the candidates of a choice, equal on every process.

    Attributes:
      ids: the examples' numbers in the pool, ascending.
      key: (position) -> the key of the candidate at that position.
      rows: what `score` gave for each, arrays [n, ...] in host memory; None of a policy that asks
        no surrogate.
      seed: the seed of the study, or of the command.
      pool: how many examples the whole pool has.
      labelled: what is labelled already.
      classifier: (W, b) of the surrogate's last linear layer, logits = features W + b; None unless
        the policy needs it.
      chosen: what was chosen already in this round, from other groups of candidates; its `ids`,
        `keys` and `rows` are as those of `labelled`.
    """

    ids: Int64[np.ndarray, " n"]
    key: Callable[[int], str]
    rows: Rows
    seed: int
    pool: int
    labelled: Labelled
    classifier: tuple[Float[np.ndarray, "d classes"], Float[np.ndarray, " classes"]] | None = None
    chosen: Labelled = field(default_factory=lambda: Labelled(NOBODY.positions, ()))

    def __len__(self) -> int:
        return len(self.ids)

    def sharded(self) -> Rows:
        """Put the rows on the devices, split along their first axis.

        The first axis is filled up with zeros to a multiple of the number of devices.

        Returns:
          The rows, with jax arrays in place of numpy's.
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
        """Join what is labelled and what was chosen already in this round, in this order.

        Returns:
          Both together, without labels; or what is labelled alone, where it has no rows or nothing
          was chosen yet.
        """
        before, now = self.labelled, self.chosen
        if before.rows is None or not len(now.ids):
            return before
        rows = jax.tree.map(lambda a, b: np.concatenate([a, b]), before.rows, now.rows)
        return Labelled(np.concatenate([before.ids, now.ids]), [*before.keys, *now.keys], rows)


def top(
    scores: Shaped[np.ndarray, " n"], ids: Int[np.ndarray, " n"], count: int
) -> Int64[np.ndarray, " k"]:
    """Find the highest scores.

    Args:
      scores: of each example.
      ids: of each example; of two equal scores the lower id comes first.
      count: how many to find.

    Returns:
      The positions of the `count` highest scores, best first.
    """
    return np.lexsort((ids, -scores))[:count]


def check_finite(rows: Rows, ids: Int[np.ndarray, " n"], keys: Sequence[str]) -> None:
    """Check that every score, or row, is a finite number.

    Args:
      rows: an array [n, ...], or a dict of such; None is finite.
      ids: the examples' numbers in the pool.
      keys: of all examples of the pool.

    Raises:
      RunError: naming the first example of which it is not.
    """
    for values in jax.tree.leaves(rows):
        finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if not finite.all():
            raise RunError(f"the score of example {keys[ids[np.argmin(finite)]]!r} is not finite")
