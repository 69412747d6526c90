"""A folder that looks like a user's: the repository, a model's weights, pictures of a drive."""

import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
import pytest

from salx.models import weight_files, weights, zoo
from salx.models.model import Model, init
from tests.builders import ROOT
from tests.data.files import write

LINKED = ("configs", "launch", "salx", "benchmarks", "requirements.txt")


@pytest.fixture(scope="session")
def network(tmp_path_factory) -> Path:
    """A small network's random weights, in the place of a large one's."""
    model = Model("m", zoo.get("cifar_resnet8")(classes=10), (32, 32, 3), (0.5,) * 3, (0.25,) * 3)
    variables = jax.jit(functools.partial(init, model))(jax.random.key(0))
    path = tmp_path_factory.mktemp("network") / "network.safetensors"
    weight_files.write(path, weights.flatten(jax.device_get(variables)))
    return path


@pytest.fixture
def home(tmp_path, network) -> Path:
    """A folder with all that a page speaks of: it is the working folder and the user's home."""
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "resnet50.safetensors").write_bytes(network.read_bytes())
    rng = np.random.default_rng(0)
    for number in range(100):
        picture = rng.integers(0, 256, (32, 32, 3), np.uint8)
        write(tmp_path / f"drives/2026-11/{number:02d}.png", picture)
    (tmp_path / "old.jsonl").write_text('{"key": "00.png"}\n')
    return tmp_path


@pytest.fixture
def user(home, compiled) -> Mapping[str, str]:
    """The environment of a user in that folder, with stand-ins of what is not installed."""
    stand_in = Path(__file__).parent / "stand_in"
    path = f"{Path(sys.executable).parent}{os.pathsep}{compiled['PATH']}"
    return {
        **compiled,
        "HOME": str(home),
        "PATH": path,
        "PYTHONPATH": f"{home}{os.pathsep}{stand_in}",
    }
