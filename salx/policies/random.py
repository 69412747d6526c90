"""Random: independent uniform scores, one for each example of the pool and seed.

The draw belongs to (pool size, seed), so cycle after cycle walks down one random order.
"""

import numpy as np

from salx.infra import seeds
from salx.infra.errors import unknown
from salx.policies import Policy


def policy(options) -> Policy:
    for option in options:
        raise unknown("option of policy random", option, ())
    return Policy("random", {}, draw=draw)


def draw(seed: int, ids: np.ndarray, pool: int) -> np.ndarray:
    """Scores of `ids`, float64 in [0, 1)."""
    return seeds.uniform(pool, seeds.derive(seed, "random"))[ids]
