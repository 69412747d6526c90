import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salx import tasks
from salx.models import model as networks
from salx.tasks.cross_entropy import BINS
from salx.training.evaluation import Evaluator
from tests import pixels
from tests.oracles import log_softmax

values = st.floats(-1e4, 1e4, width=32) | st.sampled_from([0.0, 1e4, -1e4])
jitted = jax.jit(tasks.get("segmentation").loss)


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(np.float32, (3, 2, 4, 5), elements=values),
    hnp.arrays(np.uint8, (3, 2, 4), elements=st.sampled_from([0, 1, 2, 3, 4, 255])),
)
def test_masked_losses_against_float64(logits, labels):
    losses, weights = jitted(logits, labels)
    for k in range(3):
        counted = labels[k] != 255
        picked = log_softmax(logits[k])[counted, labels[k][counted]]
        assert weights[k] == counted.sum()
        expected = -picked.mean() if counted.any() else 0.0
        np.testing.assert_allclose(losses[k], expected, rtol=1e-4, atol=1e-3)


def test_class_255_of_an_image_counts():
    labels = np.array([255, 3], np.int32)
    logits = np.random.default_rng(0).normal(size=(2, 300)).astype(np.float32)
    losses, weights = tasks.get("classification").loss(logits, labels)
    np.testing.assert_allclose(losses, -log_softmax(logits)[[0, 1], labels], rtol=1e-5)
    assert weights.tolist() == [1, 1]


@pytest.mark.parametrize("batch", [17, 4])
def test_mean_iou_against_numpy(batch):
    squares, model = pixels.dataset(), pixels.model()
    variables = jax.jit(lambda: networks.init(model, jax.random.key(3)))()
    result = Evaluator().evaluate(model, variables, squares, batch)
    logits = np.asarray(networks.forward(model, variables, squares.val.images)[0][0])
    log_p, labels = log_softmax(logits), squares.val.labels
    counted, guess = labels != 255, logits.argmax(-1)
    ious = [
        ((labels == c) & (guess == c)).sum() / (counted & ((labels == c) | (guess == c))).sum()
        for c in range(3)
    ]
    np.testing.assert_allclose(result["classes"], ious, rtol=1e-9)
    assert result["value"] == pytest.approx(np.mean(ious), rel=1e-9)
    loss = -np.take_along_axis(log_p, np.where(counted, labels, 0)[..., None], -1)[..., 0]
    assert result["loss"] == pytest.approx(loss[counted].mean(), rel=1e-5)
    confidence, right = np.exp(log_p.max(-1))[counted], (guess == labels)[counted]
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs((right[bins == b] - confidence[bins == b]).sum()) for b in range(BINS)]
    assert result["ece"] == pytest.approx(np.sum(gaps) / counted.sum(), abs=1e-4)
    assert result["val"] == 17


def test_a_class_that_is_nowhere_has_no_iou():
    squares, model = pixels.dataset(), pixels.model()
    squares.val.labels[squares.val.labels == 2] = 255
    variables = jax.jit(lambda: networks.init(model, jax.random.key(3)))()
    last = max(variables["params"])
    variables["params"][last]["bias"] = np.array([0.0, 0.0, -1e6], np.float32)
    result = Evaluator().evaluate(model, variables, squares, 17)
    assert result["classes"][2] is None
    assert result["value"] == pytest.approx(np.mean(result["classes"][:2]))
