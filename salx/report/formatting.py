"""Show numbers as text. Whatever is missing says so; nothing is shown as zero."""

from collections.abc import Sequence

from salx.report.analysis.grids import Pair
from salx.report.analysis.statistics import Gain

MISSING = DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
DAGGER = "\N{DAGGER}"
UNRECORDED = "not recorded"
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number(value: float | None, digits: int = 1) -> str:
    """Write a number as `93.6`, with a real minus sign, none where it rounds to zero.

    Args:
      value: the number.
      digits: decimals.

    Returns:
      The text; a dash for None.
    """
    if value is None:
        return MISSING
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """Write a change as `+1.2` or `-0.3`; what rounds to zero has no sign.

    Args:
      value: the change.
      digits: decimals.

    Returns:
      The text.
    """
    text = number(value, digits)
    return text if float(f"{value:.{digits}f}") <= 0 else f"+{text}"


def amount(mean: float | None, std: float | None, digits: int = 1) -> str:
    """Write mean and spread as `93.6 ± 0.4`.

    Args:
      mean: the mean.
      std: the spread; None from a single seed.
      digits: decimals.

    Returns:
      The text; `93.6` without a spread.
    """
    text = number(mean, digits)
    return text if std is None else f"{text} ± {number(std, digits)}"


def spread(pair: Pair, digits: int = 1) -> str:
    """Write the mean ± standard deviation of a pair.

    Args:
      pair: the pair.
      digits: decimals.

    Returns:
      The text; a dash where it is missing.
    """
    return amount(pair.mean, pair.std, digits)


def interval(gain: Gain, digits: int = 1) -> str:
    """Write a gain's interval as `[-0.3, +2.7]`.

    Args:
      gain: the gain.
      digits: decimals.

    Returns:
      The text; empty from a single seed.
    """
    return span((gain.low, gain.high), digits) if gain.low is not None else ""


def span(bounds: tuple[float, float], digits: int = 1) -> str:
    """Write two bounds as `[-0.3, +2.7]`.

    Args:
      bounds: the lower and the upper one.
      digits: decimals.

    Returns:
      The text.
    """
    return f"[{signed(bounds[0], digits)}, {signed(bounds[1], digits)}]"


def gained(gain: Gain, digits: int = 1) -> str:
    """Write a gain as `+1.2`, with a dagger where the corrected test tells it from chance.

    Args:
      gain: the gain.
      digits: decimals.

    Returns:
      The text.
    """
    return signed(gain.mean, digits) + (DAGGER if gain.beyond_chance else "")


def chance(p: float | None) -> str:
    """Write a p-value as `0.031` or `< 0.001`.

    Args:
      p: the value; None where there is no test.

    Returns:
      The text; a dash for None.
    """
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def shortfall(count: int, seeds: int, kind: str = "seeds") -> str:
    """Write `2 of 3 seeds` where some are missing.

    Args:
      count: those that are there.
      seeds: those that there should be.
      kind: what is counted.

    Returns:
      The text; empty where none or all are missing.
    """
    return f"{count} of {seeds} {kind}" if 0 < count < seeds else ""


def notes(pair: Pair, seeds: int) -> list[str]:
    """Say what is missing from a pair that is not complete.

    Args:
      pair: the pair.
      seeds: those of the study.

    Returns:
      A text for each lack.
    """
    missing = [shortfall(pair.n, seeds)]
    if pair.gain and pair.gain.n < pair.n:
        missing.append(shortfall(pair.gain.n, pair.n, "paired"))
    return [note for note in missing if note]


def counted(count: int, noun: str) -> str:
    """Count a noun: `1 pair`, `6 pairs`, `1,437 pairs`.

    Args:
      count: how many.
      noun: its singular.

    Returns:
      The text.
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def over(seeds: int) -> str:
    """Say what an amount's numbers are.

    Args:
      seeds: those of the study.

    Returns:
      A sentence.
    """
    return f"Mean ± standard deviation over {seeds} seeds." if seeds > 1 else "One seed: no spread."


def spelled(count: int) -> str:
    """Spell a count out where it is small: `none`, `two`, `14`.

    Args:
      count: how many.

    Returns:
      The text.
    """
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"


def seconds(total: float) -> str:
    """Write a duration as `0.4 s`, `42 s`, `3 min 20 s`, `5 h 07 min`.

    Args:
      total: seconds.

    Returns:
      The text.
    """
    if total < 60:
        return f"{total:.1f} s" if total < 10 else f"{total:.0f} s"
    minutes, rest = divmod(round(total), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def percent(count: float, whole: float) -> str:
    """Write a share as `2 %` or `2.5 %`, with no more digits than it needs.

    Args:
      count: how much.
      whole: of how much.

    Returns:
      The text.
    """
    return f"{100 * count / whole:.1f}".removesuffix(".0") + " %"


def either(names: Sequence[str]) -> str:
    """List alternatives: `entropy`, `entropy or true loss`.

    Args:
      names: at least one.

    Returns:
      The text, with commas between three or more.
    """
    return _listed(names, "or")


def both(names: Sequence[str]) -> str:
    """List names: `true loss`, `true loss and margin`.

    Args:
      names: at least one.

    Returns:
      The text, with commas between three or more.
    """
    return _listed(names, "and")


def _listed(names: Sequence[str], word: str) -> str:
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last
