"""The networks against torchvision's and timm's, whose outputs make_golden.py left in golden/."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from salx.models import weights, zoo
from tests.models import nets, seeded

GOLDEN = Path(__file__).parent / "golden"
# The fast ones show every kind of block, each backbone dilated or not, and the head.
SLOW = (
    *("resnet50_os8", "mobilenet_v3_small_os8", "xception65_os8", "resnet34", "resnet34_os16"),
    *("mobilenet_v3_large", "mobilenet_v3_large_timm", "xception65", "deeplab_xception65"),
)
marked = [pytest.param(c, marks=pytest.mark.slow if c in SLOW else ()) for c in seeded.CASES]


def close(ours, theirs) -> float:
    """The largest difference, relative to the largest value."""
    assert ours.shape == theirs.shape
    return float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("case", marked)
def test_same_outputs_and_statistics(case):
    name, options, _ = seeded.CASES[case]
    module = zoo.get(name)(**options)
    theirs, variables = nets.in_torch(module), nets.filled(module)
    golden = np.load(GOLDEN / f"{case}.npz", allow_pickle=False)
    shapes = {name: array.shape for name, array in theirs.items()}
    assert seeded.inventory(shapes) == golden["names"]
    images = jnp.asarray(seeded.images(case))

    @nets.quick
    def both(variables, images):
        plain = module.apply(variables, images)
        return plain, module.apply(
            variables, images, batch_stats=True, dropout=True, mutable=["batch_stats"]
        )

    (logits, out), ((train_logits, train_out), moved) = both(variables, images)
    moved = weights.as_torch(module, weights.flatten(jax.device_get(moved)))
    ours = {f"eval/{name}": value for name, value in {"logits": logits, **out}.items()}
    ours |= {f"train/{n}": value for n, value in {"logits": train_logits, **train_out}.items()}
    ours = {n: seeded.thinned(value) for n, value in ours.items() if value is not None}
    ours["train/statistics"] = seeded.statistics(moved)
    errors = {name: close(ours[name], golden[name]) for name in golden.files if name != "names"}
    print(case, {name: f"{error:.0e}" for name, error in errors.items()})
    assert max(errors.values()) < 1e-4, errors
