"""A folder of pictures, a file of weights, and the command in this process or its own."""

import functools
from pathlib import Path

import jax
import numpy as np
import pytest

from salx import commands
from salx.models import weight_files, weights, zoo
from salx.models.model import Model, init
from tests import prepared
from tests.builders import without_warnings
from tests.data.files import write
from tests.selection.pictures import ODD, SIDE


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """26 pictures in folders, in names of any script, of one size."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name in [*ODD, *(f"{number:02d}.png" for number in range(22))]:
        coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
        write(root / name, coarse.repeat(SIDE // 8, 0).repeat(SIDE // 8, 1))
    return root


@pytest.fixture(scope="session")
def networks(tmp_path_factory) -> list[Path]:
    """Two random ResNet8s of ten classes, as .safetensors in PyTorch's names."""
    folder, files = tmp_path_factory.mktemp("weights"), []
    module = zoo.get("cifar_resnet8")(classes=10)
    model = Model("m", module, (SIDE, SIDE, 3), (0.5,) * 3, (0.25,) * 3)
    draw = jax.jit(functools.partial(init, model))
    for seed in range(2):
        arrays = weights.flatten(jax.device_get(draw(jax.random.key(seed))))
        weight_files.write(folder / "ours.npz", arrays)
        files.append(folder / f"net{seed}.safetensors")
        assert commands.main(["convert", str(folder / "ours.npz"), str(files[-1])]) == 0
    return files


@pytest.fixture(scope="session")
def process(compiled):
    """Runs `python -m salx select`; returns the finished process."""

    def run(*flags):
        return prepared.run("salx", ["select", *flags], compiled)

    return run


@pytest.fixture
def choose(capsys):
    """Runs the command in this process; returns exit code, stdout, and stderr but for warnings."""

    def run(*flags):
        code = commands.main(["select", *map(str, flags)])
        out, err = capsys.readouterr()
        return code, out, without_warnings(err)

    return run


@pytest.fixture(scope="session")
def small(networks, pictures) -> list[str]:
    """The flags for the first network on the pictures as they are."""
    return [f"--surrogate={networks[0]}", f"--size={SIDE},{SIDE}", f"--pool={pictures}"]
