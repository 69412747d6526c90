"""Random: independent uniform scores, one for each example of the pool and seed.

The draw belongs to (pool size, seed), so cycle after cycle walks down one random order.
"""

from dataclasses import dataclass

from salx.infra import seeds
from salx.policies.policy import Needs, Policy
from salx.policies.scored import Chosen, Scored, top


@dataclass(frozen=True)
class Random(Policy):
    """Choose by chance; no surrogate is asked.

    Equation:
      score(x) = u,  uniform in [0, 1), drawn from (size of the pool, seed)

    Source:
      None: it is the baseline that every other policy has to beat.

    Cost:
      Nothing is scored.

    Use:
      As the baseline. A study always runs it.
    """

    name = "random"
    title = "random"
    marker = "P"

    @property
    def needs(self) -> Needs:
        """Ask for nothing."""
        return Needs(outputs=())

    def select(self, scored: Scored, count: int) -> Chosen:
        """Choose the candidates with the largest draws, float64 in [0, 1): these are the scores."""
        draws = seeds.uniform(scored.pool, seeds.derive(scored.seed, "random"))[scored.ids]
        positions = top(draws, scored.ids, count)
        return Chosen(positions, draws[positions])
