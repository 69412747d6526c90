"""Numbers and findings in words. Whatever is missing says so; nothing is shown as zero."""

from salx.report.statistics import Gain
from salx.report.tables import DIGITS, Cell, Table
from salx.report.values import Study, Work, expected

MISSING = DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | None) -> str:
    """`93.6`, with a real minus sign; a dash for what is missing."""
    return MISSING if value is None else f"{value:.{DIGITS}f}".replace("-", MINUS)


def signed(value: float) -> str:
    """`+1.2` or `-0.3`; what rounds to zero has no sign."""
    text = f"{value:+.{DIGITS}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def spread(cell: Cell) -> str:
    """`93.6 ± 0.4`; `93.6` from a single seed."""
    return number(cell.mean) if cell.std is None else f"{number(cell.mean)} ± {number(cell.std)}"


def interval(gain: Gain) -> str:
    """`[-0.3, +2.7]`; empty from a single seed."""
    return "" if gain.low is None else f"[{signed(gain.low)}, {signed(gain.high)}]"


def shortfall(count: int, seeds: int, kind: str = "seeds") -> str:
    """`2 of 3 seeds` where some are missing, else empty."""
    return f"{count} of {seeds} {kind}" if 0 < count < seeds else ""


def notes(cell: Cell, seeds: int) -> list[str]:
    """What must be known of a cell that is not complete."""
    missing = [shortfall(cell.n, seeds)]
    if cell.gain and cell.gain.n < cell.n:
        missing.append(shortfall(cell.gain.n, cell.n, "paired"))
    return [note for note in missing if note]


def counted(count: int, noun: str) -> str:
    """`1 pair`, `6 pairs`, `1,437 pairs`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def seconds(total: float) -> str:
    """`0.4 s`, `42 s`, `3 min 20 s`, `5 h 07 min`."""
    if total < 60:
        return f"{total:.1f} s" if total < 10 else f"{total:.0f} s"
    minutes, rest = divmod(round(total), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def percent(part: int, whole: int) -> str:
    """`2 %`, `2.5 %`: a share with no more digits than it needs."""
    return f"{100 * part / whole:.1f}".removesuffix(".0") + " %"


def done(work: Work) -> tuple[int, int]:
    """How many of the study's runs are finished, and how many there are."""
    wanted = expected(work.study)
    return len(wanted & work.results.keys()), len(wanted)


def policies(study: Study) -> str:
    return " or ".join(dict.fromkeys(c.policy for c in study.columns if c.surrogate))


def verdict(table: Table, study: Study) -> str:
    """One sentence on the pairs off the diagonal: how often better, how surely, over how many."""
    pairs = [cell for cell in table.cells if cell.column.surrogate and not cell.own]
    if not pairs:
        return "The study has no pair of a surrogate and another deployment."
    gains = [cell.gain for cell in pairs if cell.gain]
    if not gains:
        return f"None of the {counted(len(pairs), 'surrogate pair')} can be compared yet."
    better = sum(gain.mean > 0 for gain in gains)
    who = f"Choosing by the {policies(study)} of a surrogate".replace("_", " ")
    text = (
        f"{who} beats random in {better} of {counted(len(gains), 'surrogate pair')} "
        f"(off the diagonal, {percent(table.labelled, table.pool)} labelled); {certainty(gains)}"
    )
    if len(gains) < len(pairs):
        text += f" Not finished: {len(pairs) - len(gains)} of {len(pairs)} pairs."
    return text


def certainty(gains: list[Gain]) -> str:
    """`in 2 the 95 % interval of the gain lies above zero, in 1 below (n = 3 seeds).`"""
    n = sorted({gain.n for gain in gains})
    over = DASH.join(str(count) for count in dict.fromkeys((n[0], n[-1])))
    if n[-1] == 1:
        return "each by a single seed (n = 1), so how sure that is cannot be said."
    above = sum(gain.certain and gain.mean > 0 for gain in gains)
    below = sum(gain.certain and gain.mean < 0 for gain in gains)
    return (
        f"the 95 % interval of the gain lies above zero in {above or 'none'} of them "
        f"and below zero in {below or 'none'} (n = {over} seeds)."
    )
