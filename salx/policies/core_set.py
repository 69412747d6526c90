"""Core-Set: greedy k-center over features (the paper's Eq. 3; O. Sener, S. Savarese,
arXiv 1708.00489): the example that is farthest from all that is labelled or picked, again and
again."""

from salx import policies
from salx.algorithms import k_center
from salx.models.layers import mean_pool
from salx.policies import Policy

DEFAULTS = {"feature": "", "distance": "euclidean"}


def policy(options) -> Policy:
    """Options: `feature`, one of the model's intermediates, averaged over its places; "" is
    "low_level" for segmentation and "features", the pooled last map, for classification."""
    options = policies.options("core_set", options, DEFAULTS)
    policies.chosen("core_set", options, "distance", ("euclidean",))

    def example(out):
        name = options["feature"] or ("low_level" if "low_level" in out else "features")
        if name not in out:
            raise policies.unknown("feature of policy core_set", name, out)
        feature = out[name].astype("float32")
        return mean_pool(feature[None])[0] if feature.ndim == 3 else feature

    return Policy("core_set", options, example=example, pick=k_center.k_center)
