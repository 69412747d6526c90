"""Forward passes: how often a surrogate is asked about an example, and what differs each time."""

from dataclasses import dataclass
from typing import ClassVar

from salx.infra.numbers import real, whole


@dataclass(frozen=True)
class Passes:
    """Ask for several forward passes of each example.

    Class attributes:
      leading: whether the outputs have a leading axis, one entry a pass.

    Attributes:
      count: how many, 1 to 10,000.
    """

    leading: ClassVar[bool] = True
    count: int = 1

    def __post_init__(self) -> None:
        whole("passes", self.count, 1, 10_000)


@dataclass(frozen=True)
class Once(Passes):
    """Ask for one pass, in evaluation mode; the outputs have no leading axis."""

    leading: ClassVar[bool] = False


@dataclass(frozen=True)
class Dropout(Passes):
    """Ask for `count` passes with dropout drawn, and the running statistics of batch normalisation.

    Masks are keyed by (seed, pass, example id): they are equal for every batch size and number
    of devices. Y. Gal and Z. Ghahramani, arXiv 1506.02142.
    """


@dataclass(frozen=True)
class WeightNoise(Passes):
    """Ask for `count` passes, each through one network with noise on its weights.

    Every kernel and normalisation scale W becomes W + scale * ||W|| * n / ||n|| with n standard
    normal, keyed by (seed, pass) alone: one perturbed network a pass, whatever the example.

    Attributes:
      scale: the norm of the noise, as a share of the parameter's own, 0 to 1e6.
    """

    scale: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        real("scale", self.scale, "[0, 1e6]")
