"""Good files that the grammars copy and spoil, each made at its first use."""

import functools
import os
from pathlib import Path

import numpy as np

from salx.models import weight_files, zoo
from tests import prepared
from tests.builders import ROOT
from tests.data.files import encoded
from tests.models import nets

SIDE = 8
STUDY = ROOT / "tests" / "fuzz" / "tiny_study.py"
BRIGHT = "tests.outside.surrogates:colourful"  # a surrogate that needs no weights


class Materials:
    """What is good, in a folder that all cases of a run share.

    Args:
      folder: where the files lie; those of an earlier run are used again.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @functools.cached_property
    def arrays(self) -> weight_files.Arrays:
        """The weights of a small network, in PyTorch's names."""
        return nets.in_torch(zoo.get("cifar_resnet8")(classes=3))

    @functools.cached_property
    def network(self) -> Path:
        """A file of these weights."""
        path = self.folder / "net.safetensors"
        weight_files.write(path, self.arrays)
        return path

    @functools.cached_property
    def pictures(self) -> tuple[bytes, ...]:
        """Small PNG files, no two alike."""
        rng = np.random.default_rng(0)
        return tuple(encoded(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)) for _ in range(8))

    @functools.cached_property
    def mask(self) -> bytes:
        """A PNG of class indices 0, 1 and 2 for any of the pictures."""
        return encoded((np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 3).astype(np.uint8))

    @functools.cached_property
    def study(self) -> Path:
        """The work folder of a finished study."""
        workdir = self.folder / "study"
        if not (workdir / "report" / "index.html").exists():
            words = [f"--config={STUDY}", f"--workdir={workdir}"]
            env = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
            process = prepared.run("salx.main", words, env)
            assert process.returncode == 0, process.stderr
        return workdir
