"""What lies on many devices: who holds what, what moves between them, and that nothing changes."""

import functools
import json

import jax
import numpy as np
import pytest
from jax import export

from salx.data import datasets
from salx.models import model as networks
from salx.models import zoo
from salx.training.loop import Trainer
from salx.training.metrics import empty_metrics
from salx.training.step import Trained
from tests import compilation_cache, prepared
from tests.infra import spmd


def slow_but(*quick):
    """All networks; those that are not named here are minutes long together."""
    return [
        name if name in quick else pytest.param(name, marks=pytest.mark.slow)
        for name in zoo.names()
    ]


@pytest.mark.parametrize("name", slow_but("cifar_resnet8", "resnet20"))
def test_every_step_and_scorer_lowers_for_accelerators(name):
    for function, shapes in spmd.everything(spmd.network(name)).values():
        exported = export.export(function, platforms=("tpu", "cuda"))(*shapes)
        assert exported.platforms == ("tpu", "cuda")


@pytest.fixture(scope="module")
def child(compiled):
    """(devices, arguments) -> what a process with so many devices prints."""

    @functools.cache
    def ran(devices, *arguments):
        # Neither what moves between devices nor what they hold depends on the optimisation.
        flags = f"{compilation_cache.devices(devices)} {compilation_cache.QUICK}"
        env = {**compiled, "XLA_FLAGS": flags}
        process = prepared.run("tests.infra.spmd", arguments, env, timeout=900)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return ran


@pytest.mark.parametrize("name", slow_but("cifar_resnet8"))
def test_only_sums_move_between_devices(child, name):
    result = child(4, "compiled", name)
    found, (params, statistics) = result["found"], result["sizes"]
    for what, collectives in found.items():
        kinds = {kind for kind, _ in collectives}
        if what.startswith("score"):
            assert kinds == set()
            continue
        if what == "train with head":  # the partners' predictions, losses, whether they count
            moved = [shape for kind, shape in collectives if kind == "collective-permute"]
            label = spmd.batch_of(spmd.network(name))["label"].shape[1:]
            assert {*map(str, moved)} == {str([[spmd.BATCH // 4, *label]])}
            assert len(moved) <= 4  # and one gradient
            kinds.discard("collective-permute")
        assert kinds == {"all-reduce"}, what
        if what in ("train", "train in parts"):
            # Gradients, the batch's statistics and their gradients, and metrics: no examples.
            sums = sum(int(np.prod(shape)) for _, shapes in collectives for shape in shapes)
            assert params <= sums <= params + result["more"][what] + 2 * statistics + 100


COUNTS = [pytest.param(2, marks=pytest.mark.slow), 4, pytest.param(8, marks=pytest.mark.slow)]


PASSES = ("shown_masks", "disagreement")  # policies that take five dropout passes


@pytest.mark.parametrize("devices", COUNTS)
def test_many_devices_share_the_work_and_change_nothing(child, devices):
    one, many = child(1, "trained"), child(devices, "trained")
    assert many["devices"] == devices
    assert many["batch"] * devices == one["batch"] == 256
    for recipe in ("whole", "parts"):
        assert many["memory"][recipe] * devices < 1.1 * one["memory"][recipe]
    assert many["memory"]["parts"] * spmd.PARTS.accumulate < 1.1 * many["memory"]["whole"]
    assert many["picks"] == one["picks"]
    masks, scores = ([each["passes"][name] for each in (one, many)] for name in PASSES)
    assert masks[0] == masks[1]
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-5)
    for recipe in ("whole", "parts"):
        assert one[recipe][-1] < 0.5 * one[recipe][0]
        np.testing.assert_allclose(many[recipe], one[recipe], rtol=0, atol=1e-4)


def test_bfloat16_trains_float32_weights():
    digits = datasets.load({"name": "digits"})
    options = {"name": "cifar_resnet8", "width": 4, "dtype": "bfloat16"}
    model = networks.build("m", options, digits)
    losses = spmd.curve(model, digits, spmd.RECIPE)
    assert losses[-1] < 0.5 * losses[0]
    what, trainer = Trained(model, spmd.RECIPE, digits.task), Trainer()
    state, ids = trainer.initial(what)(0, spmd.STEPS), np.arange(32, dtype=np.int32)
    batch = {"image": digits.pool.images[ids], "label": digits.pool.labels[ids], "id": ids}
    state, _ = trainer.step(what)(state, empty_metrics(), batch)
    kept = state.params, state.batch_stats, state.opt_state
    assert {leaf.dtype.name for leaf in jax.tree.leaves(kept)} == {"float32"}
