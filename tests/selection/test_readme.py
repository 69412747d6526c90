"""The README's Python is run, with a small network and few pictures in the place of its files; and
so is the policy of a few lines that `salx.policies.policy` shows."""

import re
import textwrap

import jax
import numpy as np
import pytest

import salx
from salx.models.model import forward
from salx.policies import policy
from tests.builders import ROOT
from tests.selection.pictures import SIDE

(BLOCK,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
IMPORTS = """
from dataclasses import dataclass
import jax
import jax.numpy as jnp
from salx.policies import Policy
"""


@pytest.fixture
def names(networks, pictures, tmp_path):
    """The names that the README's block leaves."""
    (tmp_path / "old.jsonl").write_text('{"key": "00.png"}\n')
    files = {
        '"resnet50.safetensors")': f'"{networks[0]}", size=({SIDE}, {SIDE}))',
        '"~/drives/2026-11"': f'"{pictures}"',
        '"2%"': '"20%"',
        '"old.jsonl"': f'"{tmp_path}/old.jsonl"',
    }
    block = BLOCK
    for name, file in files.items():
        assert name in block
        block = block.replace(name, file)
    return executed(block)


def executed(code):
    """The names that a piece of code leaves."""
    names = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)
    return names


def test_the_library_chooses(names):
    selection = names["selection"]
    assert len(selection.keys) == 5
    assert "00.png" not in selection.keys


def test_the_policy_of_a_few_lines_is_the_margin(networks, pictures):
    (lines,) = re.findall(r"( +@dataclass.*?\n)\n\S", policy.__doc__, re.S)
    margin = executed(IMPORTS + textwrap.dedent(lines))["Margin"]
    past = salx.load(networks[0], size=(SIDE, SIDE))
    selection = salx.select(pictures, past, margin(), budget=26)
    images = np.stack([selection.dataset.pool[i]["image"] for i in range(26)])
    logits = np.asarray(forward(past.model, past.variables, images)[0][0], np.float64)
    p = np.sort(np.asarray(jax.nn.softmax(logits)), -1)
    expected = 1 - (p[:, -1] - p[:, -2])
    np.testing.assert_allclose(selection.scores, expected[selection.ids], rtol=1e-4)
    assert selection.ids.tolist() == np.lexsort((np.arange(26), -expected)).tolist()


def test_the_network_of_ones_own_is_a_surrogate(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text("cat\ndog\n")

    def predict(images):
        return np.zeros((len(images), 2))

    detector = salx.load(predict, size=(640, 640), classes="names.txt")
    selection = salx.select(pictures, detector, budget=2)
    assert {row["predicted"] for row in selection.rows()} == {"cat"}
