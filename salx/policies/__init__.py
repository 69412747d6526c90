"""How to choose: one file a policy, also outside of this package (see salx.policies.policy).

from salx.policies import Policy, Needs
"""

from salx.policies.policy import Needs, Policy, ScorePolicy, only_select
from salx.policies.registry import build, kind, names, origin
from salx.policies.scored import Chosen, Labelled, Scored, check_finite, top
from salx.surrogates.outputs import Outputs
from salx.surrogates.passes import Dropout, Once, Passes, WeightNoise

__all__ = [
    "Chosen", "Dropout", "Labelled", "Needs", "Once", "Outputs", "Passes", "Policy", "ScorePolicy",
    "Scored", "WeightNoise", "build", "check_finite", "kind", "names", "only_select", "origin",
    "top",
]  # fmt: skip
