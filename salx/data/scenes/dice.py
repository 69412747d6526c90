"""A generator of random numbers, and the colours that are drawn with it."""

from collections.abc import Sequence

import numpy as np

from salx.data.scenes.canvas import Colour

PAINTS = (
    *((0.85, 0.86, 0.87), (0.1, 0.1, 0.12), (0.5, 0.52, 0.54), (0.35, 0.36, 0.38)),
    *((0.12, 0.2, 0.42), (0.55, 0.1, 0.1), (0.2, 0.3, 0.22), (0.75, 0.66, 0.2)),
)
PLASTERS = (
    *((0.78, 0.72, 0.6), (0.62, 0.36, 0.28), (0.6, 0.6, 0.58), (0.82, 0.8, 0.76)),
    *((0.5, 0.44, 0.38), (0.7, 0.55, 0.4), (0.42, 0.45, 0.5), (0.66, 0.7, 0.66)),
)
CLOTHES = (
    *((0.12, 0.13, 0.18), (0.3, 0.32, 0.36), (0.6, 0.15, 0.15), (0.15, 0.28, 0.5)),
    *((0.75, 0.72, 0.68), (0.25, 0.35, 0.22), (0.8, 0.55, 0.15), (0.4, 0.25, 0.3)),
)
LEAVES = ((0.22, 0.36, 0.12), (0.3, 0.4, 0.16), (0.16, 0.28, 0.14), (0.48, 0.4, 0.14))
PLATES = (((0.8, 0.1, 0.1), (0.92, 0.92, 0.9)), ((0.1, 0.25, 0.65), (0.85, 0.88, 0.92)))


class Dice:
    """Draw from PCG64's raw bits, the same on every machine."""

    def __init__(self, seed: int):
        self.bits = np.random.PCG64(seed)

    def between(self, low: float, high: float) -> float:
        """Draw a number from an interval, all equally likely.

        Args:
          low: the interval's lower end, which can be drawn.
          high: its upper end, which cannot.

        Returns:
          The number.
        """
        return low + (high - low) * ((self.bits.random_raw() >> 11) * 2.0**-53)

    def chance(self, probability: float) -> bool:
        """Draw True with a probability.

        Args:
          probability: the probability, 0..1.

        Returns:
          The draw.
        """
        return self.between(0, 1) < probability

    def pick(self, choices: Sequence):
        """Draw one of some choices, all equally likely.

        Args:
          choices: what there is to draw from.

        Returns:
          One of them.
        """
        return choices[int(self.between(0, len(choices)))]

    def tint(self, colour: Colour, spread: float = 0.15) -> Colour:
        """Draw a colour near another one.

        Args:
          colour: the other one.
          spread: how far its brightness may change, as a part of it; each channel may change by
            7 % more.

        Returns:
          The colour.
        """
        bright = self.between(1 - spread, 1 + spread)
        return tuple(c * bright * self.between(0.93, 1.07) for c in colour)
