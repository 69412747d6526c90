"""The README's Python is run, with a small network and few pictures in the place of its files."""

import re

import jax
import numpy as np
import pytest

import salx
from salx.models.model import forward
from tests.builders import ROOT
from tests.selection.pictures import SIDE

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


@pytest.fixture
def spaces(networks, pictures, tmp_path):
    """The names that each block leaves."""
    (tmp_path / "old.jsonl").write_text('{"key": "00.png"}\n')
    files = {
        '"resnet50.safetensors")': f'"{networks[0]}", size=({SIDE}, {SIDE}))',
        '"~/drives/2026-11"': f'"{pictures}"',
        '"2%"': '"20%"',
        '"old.jsonl"': f'"{tmp_path}/old.jsonl"',
    }
    made = []
    for block in BLOCKS:
        for name, file in files.items():
            block = block.replace(name, file)
        names = {"__name__": "readme"}
        exec(compile(block, "README.md", "exec"), names)
        made.append(names)
    return made


def test_the_library_chooses(spaces):
    selection = spaces[0]["selection"]
    assert len(selection.keys) == 5
    assert "00.png" not in selection.keys


def test_the_policy_of_a_few_lines_is_the_margin(spaces, networks, pictures):
    past = salx.load(networks[0], size=(SIDE, SIDE))
    selection = salx.select(pictures, past, spaces[1]["Margin"](), budget=26)
    images = np.stack([selection.dataset.pool[i]["image"] for i in range(26)])
    logits = np.asarray(forward(past.model, past.variables, images)[0][0], np.float64)
    p = np.sort(np.asarray(jax.nn.softmax(logits)), -1)
    expected = 1 - (p[:, -1] - p[:, -2])
    np.testing.assert_allclose(selection.scores, expected[selection.ids], rtol=1e-4)
    assert selection.ids.tolist() == np.lexsort((np.arange(26), -expected)).tolist()


def test_the_network_of_ones_own_is_a_surrogate(spaces, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    detector = spaces[2]["detector"]
    detector.__globals__["predict"] = lambda images: np.zeros((len(images), 2))
    selection = salx.select(pictures, detector(), budget=2)
    assert {row["predicted"] for row in selection.rows()} == {"cat"}
