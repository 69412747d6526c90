"""A kind of surrogate that the package does not have: the brightness of an image, as a model.

`tests.outside.surrogates:Bright` is one; `tests.outside.surrogates:from_file` is a kind, for an
entry point: it takes files named .bright.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from salx import tasks
from salx.surrogates.outputs import Outputs
from salx.surrogates.surrogate import Preprocessing, Surrogate


@dataclass(frozen=True, eq=False)
class Bright(Surrogate):
    """Predicts "dark" or "bright" by the mean of an image's pixels; asked on the host."""

    traceable: ClassVar[bool] = False

    middle: float = 120.0
    side: int = 8
    channels: int = 1
    label: str = "bright"
    classes: tuple[str, ...] = ("dark", "bright")
    outputs: frozenset[str] = frozenset({"logits", "features"})
    origin: dict[str, Any] = field(default_factory=lambda: {"function": "brightness"})

    @property
    def task(self):
        return tasks.get("classification")

    @property
    def preprocessing(self):
        values = ((0.5,) * self.channels, (0.5,) * self.channels)
        return Preprocessing((self.side, self.side, self.channels), *values)

    def forward(self, variables, batch, passes, seed):
        mean = np.asarray(batch["image"], np.float32).mean((1, 2, 3))
        logits = np.stack([self.middle - mean, mean - self.middle], 1) / 20
        return Outputs(logits=logits, features=logits, task=self.task)


def from_file(source, **options):
    """Read the middle from a file named .bright; None of any other source."""
    if not str(source).endswith(".bright"):
        return None
    return Bright(float(Path(source).read_text()), channels=3, side=16)


def colourful(**options):
    """The same model for pictures of three channels."""
    return Bright(channels=3, side=32, **options)
