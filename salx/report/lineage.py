"""Show a line of models, each the next one's surrogate: generations that inherit what was chosen.

The paper's Figure 2. Cycle c of a lineage of m models is chosen by model c * m // cycles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from salx.report import formatting, statistics
from salx.report.formatting import MISSING
from salx.report.sheets import Head, Item, Sheet
from salx.report.statistics import Gain
from salx.report.tables import Cell, value
from salx.report.types import RANDOM, Column, Work


@dataclass(frozen=True)
class Generation:
    """Hold what is labelled when a model takes over and when it hands on, and what it is worth on
    both. Cell.n is 0 where it was not trained."""

    model: str
    start: int
    end: int
    first: Cell
    last: Cell


def turns(models: Sequence[str], cycles: int) -> Iterator[tuple[str, int, int]]:
    """Give (model, cycle before its first choice, cycle of its last choice).

    Cycle 0 is random, so the first model takes over after it, as the others after their
    predecessor's last cycle. A model whose turn is cycle 0 alone chooses nothing.
    """
    whose = [cycle * len(models) // cycles for cycle in range(cycles)]
    for number, model in enumerate(models):
        chosen = [cycle for cycle in range(1, cycles) if whose[cycle] == number]
        if chosen:
            yield model, chosen[0] - 1, chosen[-1]


def generations(work: Work, line: str, policy: str) -> tuple[Generation, ...]:
    """Measure each generation of a lineage under a policy."""
    study, column = work.study, Column(line, policy)
    return tuple(
        Generation(
            model, study.budgets[start], study.budgets[end],
            measured(work, model, column, start), measured(work, model, column, end),
        )
        for model, start, end in turns(study.lineages[line], len(study.budgets))
    )  # fmt: skip


def measured(work: Work, model: str, column: Column, cycle: int) -> Cell:
    """Measure a model on what the lineage had chosen up to a cycle. After cycle 0 that is random
    itself, so there is no gain to speak of."""
    values, results = value(work, model, column, cycle)
    random = value(work, model, RANDOM, cycle)[0] if cycle else {}
    numbers = list(values.values())
    return Cell(
        model, column, len(values), statistics.mean(numbers), statistics.deviation(numbers),
        statistics.paired_gain(values, random), results,
    )  # fmt: skip


def gain(measured: Gain | None, digits: int) -> str:
    """Write a gain as `+1.2 [-0.3, +2.7]`; a dash for no gain."""
    if measured is None:
        return MISSING
    mean, interval = formatting.signed(measured.mean, digits), formatting.interval(measured, digits)
    return f"{mean} {interval}".rstrip()


def sheet(work: Work, line: str) -> Sheet:
    """Show one lineage, under each policy a row for each generation."""
    study = work.study
    several = len(study.policies) > 1

    def result(cell: Cell) -> Item:
        note = formatting.shortfall(cell.n, study.seeds)
        text = formatting.spread(cell, study.digits) + (f"\n{note}" if note else "")
        return Item(text, (cell.mean, cell.std, cell.n), cell.sources)

    def over(cell: Cell) -> Item:
        over_random = cell.gain
        numbers = over_random[:4] if over_random else (None,) * 4
        return Item(gain(over_random, study.digits), numbers)

    def row(policy: str, number: int, g: Generation) -> tuple[Item, ...]:
        return (
            *([Item(study.title(policy))] if several else []), Item(str(number), (number,)),
            Item(g.model), Item(f"{g.start:,}", (g.start,)), result(g.first), over(g.first),
            Item(f"{g.end:,}", (g.end,)), result(g.last), over(g.last),
        )  # fmt: skip

    return Sheet(
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
