"""Show a line of models, each the next one's surrogate."""

from salx.report import formatting
from salx.report.analysis.grids import Pair
from salx.report.analysis.lineage import Generation, generations
from salx.report.analysis.statistics import Gain
from salx.report.formatting import MISSING
from salx.report.load.types import Work
from salx.report.tables.table import Cell, Head, Table


def gain(measured: Gain | None, digits: int) -> str:
    """Write a gain as `+1.2 [-0.3, +2.7]`.

    Args:
      measured: the gain.
      digits: decimals.

    Returns:
      The text; a dash for None.
    """
    if measured is None:
        return MISSING
    mean, interval = formatting.signed(measured.mean, digits), formatting.interval(measured, digits)
    return f"{mean} {interval}".rstrip()


def table(work: Work, line: str) -> Table:
    """Show one lineage.

    Args:
      work: all results.
      line: the lineage's label.

    Returns:
      Under each policy a row for each generation.
    """
    study = work.study
    several = len(study.policies) > 1

    def result(pair: Pair) -> Cell:
        note = formatting.shortfall(pair.n, study.seeds)
        text = formatting.spread(pair, study.digits) + (f"\n{note}" if note else "")
        return Cell(text, (pair.mean, pair.std, pair.n), pair.sources)

    def over(pair: Pair) -> Cell:
        numbers = pair.gain[:4] if pair.gain else (None,) * 4
        return Cell(gain(pair.gain, study.digits), numbers)

    def row(policy: str, number: int, g: Generation) -> tuple[Cell, ...]:
        return (
            *([Cell(study.title(policy))] if several else []), Cell(str(number), (number,)),
            Cell(g.model), Cell(f"{g.start:,}", (g.start,)), result(g.first), over(g.first),
            Cell(f"{g.end:,}", (g.end,)), result(g.last), over(g.last),
        )  # fmt: skip

    return Table(
        name=f"lineage_{line}",
        title=f"The generations of {line}",
        caption=(
            f"A generation takes over what the one before it chose, chooses on, and hands over. "
            f"{study.metric} ({study.unit}) of its model where it takes over and where it hands "
            "over, and there the gain over the same model trained on as many random examples, "
            f"paired by seed, with its 95 % t-interval ({formatting.counted(study.seeds, 'seed')}; "
            "no interval from one). After the random start there is no gain; a dash is what was "
            "not trained."
        ),
        heads=(
            *([Head("policy")] if several else []), Head("generation", ("number",)), Head("model"),
            Head("labelled", ("start",)), Head("result, start", ("mean", "std", "n")),
            Head("gain, start", ("mean", "low", "high", "n")), Head("labelled", ("end",)),
            Head("result, end", ("mean", "std", "n")),
            Head("gain, end", ("mean", "low", "high", "n")),
        ),
        rows=tuple(
            row(policy, number, generation) for policy in study.policies
            for number, generation in enumerate(generations(work, line, policy), 1)
        ),
    )  # fmt: skip
