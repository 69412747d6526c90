"""Checks of numbers that a user gave: of the right kind, finite, and in range."""

import math
import numbers
from typing import Any

from salx.infra.errors import ArgumentError, cut

MOST = 2**31 - 1  # of what is counted here: steps, images, workers; more is a mistake
SHOWN = 60  # characters of a value in a message


def shown(value: Any) -> str:
    """Return a value's text for a message.

    Args:
      value: anything.

    Returns:
      Its `repr`, cut after 60 characters.
    """
    try:
        return cut(repr(value), SHOWN)
    except ValueError:  # Python writes no more than 4300 digits
        return "a number of thousands of digits"


def whole(argument: str, value: Any, least: int = 0, most: int = MOST) -> int:
    """Check that a value is a whole number from `least` to `most`, and return it as Python's int.

    Args:
      argument: the name of the argument, for the message.
      value: what the user gave; True and 1.0 are no whole numbers.
      least: the smallest number that is allowed.
      most: the largest.

    Returns:
      The number.

    Raises:
      ArgumentError: naming the argument, for any other value.
    """
    sound = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not sound or not least <= value <= most:
        rule = f"must be a whole number from {least} to {most}"
        if most == MOST:
            rule = f"must be a whole number, at least {least}"
            if sound and value > most:
                rule += f" and at most {most}"
        raise ArgumentError(argument, f"{{name}}={shown(value)} {rule}")
    return int(value)


def whole_of(argument: str, text: str, least: int = 0, most: int = MOST) -> int:
    """Read a whole number from a text, and check it as `whole` does.

    Args:
      argument: the name of the argument, for the message.
      text: decimal digits.
      least: the smallest number that is allowed.
      most: the largest.

    Returns:
      The number.

    Raises:
      ArgumentError: naming the argument, for any other text.
    """
    sound = text.isdecimal() and len(text) < SHOWN
    return whole(argument, int(text) if sound else text, least, most)


def real(argument: str, value: Any, within: str) -> float:
    """Check that a value is a finite number of an interval, and return it as Python's float.

    Args:
      argument: the name of the argument, for the message.
      value: what the user gave; True is no number.
      within: the interval as in mathematics: `"[0, 1)"` for 0 <= value < 1, `"(0, inf)"` for above
        0.

    Returns:
      The number.

    Raises:
      ArgumentError: naming the argument, for NaN, infinity and any other value.
    """
    low, high = (float(end) for end in within[1:-1].split(","))
    sound = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if sound:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        above = number > low if within[0] == "(" else number >= low
        below = number < high if within[-1] == ")" else number <= high
        if math.isfinite(number) and above and below:
            return number
    raise ArgumentError(argument, f"{{name}}={shown(value)} must be {_in_words(within, low, high)}")


def _in_words(within: str, low: float, high: float) -> str:
    """Describe an interval in words."""
    start = f"above {low:g}" if within[0] == "(" else f"at least {low:g}"
    if math.isinf(low):
        start = ""
    end = f"below {high:g}" if within[-1] == ")" else f"at most {high:g}"
    if math.isinf(high):
        end = ""
    return " ".join(("a finite number", " and ".join(filter(None, (start, end))))).strip()
