import numpy as np
import pytest

from salx.data import datasets
from salx.infra import mesh
from salx.infra.errors import RunError
from salx.models import model as networks
from salx.training.evaluation import Evaluator


@pytest.fixture(scope="module")
def judged(fresh):
    digits = datasets.load({"name": "digits"})
    model = networks.build("judged", {"name": "cifar_resnet8", "width": 4}, digits)
    return digits, model, fresh(model, 2)


def test_accuracy_and_loss_against_numpy(judged):
    digits, model, variables = judged
    images = np.stack([digits.val[i]["image"] for i in range(360)])
    labels = np.array([digits.val[i]["label"] for i in range(360)])
    logits = np.float64(networks.forward(model, variables, images)[0][0])
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    mesh.traces.clear()
    evaluator = Evaluator()
    for batch in (360, 64, 7):
        result = evaluator.evaluate(model, variables, digits, batch)
        assert result["val"] == 360
        assert result["value"] == (logits.argmax(-1) == labels).mean()
        assert result["loss"] == pytest.approx(-log_p[np.arange(360), labels].mean(), rel=1e-5)
    evaluator.evaluate(model, variables, digits, 64)
    assert mesh.traces["evaluate judged"] == 3  # one for each batch size


def test_a_broken_model_is_no_result(judged):
    digits, model, variables = judged
    variables = {
        **variables,
        "params": mesh.jax.tree.map(lambda p: p * np.nan, variables["params"]),
    }
    with pytest.raises(RunError, match="not finite"):
        Evaluator().evaluate(model, variables, digits, 360)
