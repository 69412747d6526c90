"""How often a surrogate is asked about an example, and what differs from time to time."""

from dataclasses import dataclass
from typing import ClassVar

from salx.infra.numbers import real, whole


@dataclass(frozen=True)
class Passes:
    """The forward passes that a policy asks for; `count` is their number.

    With `leading`, the outputs have a leading axis of that length, one entry a pass.
    """

    leading: ClassVar[bool] = True
    count: int = 1

    def __post_init__(self) -> None:
        whole("passes", self.count, 1, 10_000)


@dataclass(frozen=True)
class Once(Passes):
    """One pass, in evaluation mode; the outputs have no leading axis."""

    leading: ClassVar[bool] = False


@dataclass(frozen=True)
class Dropout(Passes):
    """`count` passes with dropout drawn, and the running statistics of batch normalisation.

    Masks are keyed by (seed, pass, example id): they are equal for every batch size and number
    of devices. Y. Gal and Z. Ghahramani, arXiv 1506.02142.
    """


@dataclass(frozen=True)
class WeightNoise(Passes):
    """`count` passes, each through one network with noise on its weights.

    Every kernel and normalisation scale W becomes W + scale * ||W|| * n / ||n|| with n standard
    normal, keyed by (seed, pass) alone: one perturbed network a pass, whatever the example.
    """

    scale: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        real("scale", self.scale, "[0, 1e6]")
