"""Policies: ways to choose what is worth a label, one file each, also outside of this package.

    from salx.policies import Needs, Policy, Scored, Chosen     # what a policy of your own needs

See salx.policies.policy for an example. `names()` lists the policies, `build(name, options)` makes
one.
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
