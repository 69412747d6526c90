"""Numbers and findings in words. Whatever is missing says so; nothing is shown as zero."""

from collections.abc import Sequence

from salx.report.statistics import Gain
from salx.report.tables import Cell, Table, tally
from salx.report.types import Study, Work, expected

MISSING = DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
DAGGER = "\N{DAGGER}"
UNRECORDED = "not recorded"
ORACLES = ("true_loss",)  # they know the labels: a reference, not a way to choose
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number(value: float | None, digits: int = 1) -> str:
    """`93.6`, with a real minus sign, none where it rounds to zero; a dash for what is missing."""
    if value is None:
        return MISSING
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """`+1.2` or `-0.3`; what rounds to zero has no sign."""
    text = number(value, digits)
    return text if float(f"{value:.{digits}f}") <= 0 else f"+{text}"


def amount(mean: float | None, std: float | None, digits: int = 1) -> str:
    """`93.6 ± 0.4`; `93.6` from a single seed."""
    text = number(mean, digits)
    return text if std is None else f"{text} ± {number(std, digits)}"


def spread(cell: Cell, digits: int = 1) -> str:
    return amount(cell.mean, cell.std, digits)


def interval(gain: Gain, digits: int = 1) -> str:
    """`[-0.3, +2.7]`; empty from a single seed."""
    return span((gain.low, gain.high), digits) if gain.low is not None else ""


def span(bounds: tuple[float, float], digits: int = 1) -> str:
    return f"[{signed(bounds[0], digits)}, {signed(bounds[1], digits)}]"


def gained(gain: Gain, digits: int = 1) -> str:
    """`+1.2`, with a dagger where the corrected test tells it from chance."""
    return signed(gain.mean, digits) + (DAGGER if gain.beyond_chance else "")


def chance(p: float | None) -> str:
    """`0.031`, `< 0.001`; a dash where there is no test."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


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


def over(seeds: int) -> str:
    """What an amount's numbers are."""
    return f"Mean ± standard deviation over {seeds} seeds." if seeds > 1 else "One seed: no spread."


def spelled(count: int) -> str:
    """`none`, `two`, `14`."""
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"


def seconds(total: float) -> str:
    """`0.4 s`, `42 s`, `3 min 20 s`, `5 h 07 min`."""
    if total < 60:
        return f"{total:.1f} s" if total < 10 else f"{total:.0f} s"
    minutes, rest = divmod(round(total), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def percent(part: float, whole: float) -> str:
    """`2 %`, `2.5 %`: a share with no more digits than it needs."""
    return f"{100 * part / whole:.1f}".removesuffix(".0") + " %"


def plain(name: str) -> str:
    """A policy's name as a reader says it: `core-set`, `learning loss`."""
    return {"core_set": "core-set"}.get(name, name.replace("_", " "))


def done(work: Work) -> tuple[int, int]:
    """How many of the study's runs are finished, and how many there are."""
    wanted = expected(work.study)
    found = work.results.keys() | {result.run for result in work.potentials}
    return len(wanted & found), len(wanted)


def policies(names: Sequence[str]) -> str:
    """`entropy`, `entropy or true loss`, `entropy, core-set or true loss`."""
    *first, last = map(plain, names)
    return f"{', '.join(first)} or {last}" if first else last


def usable(tables: Sequence[Table]) -> Sequence[Table]:
    """The tables of policies that know no labels; all, where there are no others."""
    return [table for table in tables if table.policy not in ORACLES] or tables


def verdict(tables: Sequence[Table], study: Study) -> str:
    """A few sentences on the pairs off the diagonal: how often better, how surely, how much."""
    told = usable(tables)
    count, first = tally(told), told[0]
    if not count.pairs:
        return "The study has no pair of a surrogate and another deployment."
    if not count.compared:
        return f"None of the {counted(count.pairs, 'surrogate pair')} can be compared yet."
    text = (
        f"Choosing by a surrogate's {policies([t.policy for t in told])} is better than random in "
        f"{count.better} of {counted(count.compared, 'pair')} (a model that chose and another that "
        f"was trained, {percent(first.labelled, first.pool)} labelled){certainty(tables)} "
        f"The mean gain is {signed(count.gain, first.digits)} points."
    )
    if count.compared < count.pairs:
        text += f" Not finished: {count.pairs - count.compared} of {count.pairs} pairs."
    return text


def certainty(tables: Sequence[Table]) -> str:
    """`, two of them beyond chance and none worse beyond chance (paired t-test, n = 3 seeds,
    Holm-corrected for 9 gains).`"""
    told = usable(tables)
    gains = [c.gain for t in told for c in t.cells if c.gain and not c.own]
    tested = [c.gain for t in tables for c in t.cells if c.gain and c.gain.p is not None]
    n = sorted({gain.n for gain in gains})
    over = DASH.join(str(count) for count in dict.fromkeys((n[0], n[-1])))
    if n[-1] == 1:
        return ": a single seed each (n = 1), so how sure that is cannot be said."
    count = tally(told)
    return (
        f", {spelled(count.above)} of them beyond chance; {spelled(count.below)} "
        f"{'is' if count.below < 2 else 'are'} worse beyond chance (paired t-tests at 5 %, "
        f"n = {over} seeds, Holm-corrected for the {counted(len(tested), 'gain')} of the grid)."
    )
