"""Core-Set: greedy k-center over features, the paper's Eq. 3.

O. Sener and S. Savarese, arXiv 1708.00489. It picks, again and again, the example that is farthest
from all that is labelled or picked.
"""

from dataclasses import dataclass
from typing import Annotated

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32

from salx.algorithms.k_center import k_center
from salx.infra.errors import unknown
from salx.infra.limits import OneOf
from salx.policies.policy import Needs, Policy, only_select
from salx.policies.scored import Chosen, Scored
from salx.surrogates.outputs import Outputs


@dataclass(frozen=True)
class CoreSet(Policy):
    """Choose what lies farthest from everything that is labelled.

    Attributes:
      feature: one of the network's intermediates, averaged over its places; "" is "low_level" of a
        segmentation network, and the features that the last layer reads of a classifier.
      distance: between two features; "euclidean" is the only one.

    Equation:
      next pick = argmax_x min_c || f(x) - f(c) ||,  c labelled or picked

    Source:
      O. Sener and S. Savarese, ICLR 2018, arXiv 1708.00489; the paper's Eq. 3.

    Cost:
      One forward pass for each example of the pool and for each labelled one, then the greedy
      search, which is exact and keeps all features in memory: 4 bytes times their length for
      each example.

    Use:
      To cover the pool, where a large budget would otherwise buy many pictures of one kind. It
      also picks what is merely strange.
    """

    name = "core_set"
    title = "core-set"
    marker = "s"

    feature: str = ""
    distance: Annotated[str, OneOf(("euclidean",))] = only_select("euclidean")

    @property
    def needs(self) -> Needs:
        """Ask for features or maps, of what is labelled as well."""
        outputs = ("maps",) if self.feature else (("features", "maps"),)
        return Needs(outputs=outputs, labelled=True)

    def score(self, out: Outputs) -> Float32[Array, " d"]:
        """Return the example's features, averaged over places where they are a map.

        Raises:
          InputError: naming the feature, if the network has none of that name.
        """
        taps = dict(out.maps or {})
        if out.features is not None:
            taps["features"] = out.features
        name = self.feature or ("low_level" if "low_level" in taps else "features")
        if name not in taps:
            raise unknown("feature of policy core_set", name, taps)
        feature = taps[name].astype(jnp.float32)
        return feature.mean((0, 1)) if feature.ndim == 3 else feature

    def select(self, scored: Scored, count: int) -> Chosen:
        """Choose greedily; a pick's score is its distance to the nearest centre before it."""
        centres = scored.centres()
        rows = centres.rows if centres.rows is not None else scored.rows[:0]
        picks, radii = k_center(scored.rows, rows, count, scored.key, centres.keys.__getitem__)
        return Chosen(np.asarray(picks), radii)
