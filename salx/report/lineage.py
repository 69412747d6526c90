"""A line of models, each the next one's surrogate: generations that inherit what was chosen.

The paper's Figure 2. Cycle c of a lineage of m models is chosen by model c * m // cycles.
"""

from collections.abc import Iterator
from typing import NamedTuple

from salx.report import formatting, statistics
from salx.report.formatting import MISSING, plain
from salx.report.sheets import Head, Item, Sheet
from salx.report.statistics import Gain
from salx.report.tables import Cell, value
from salx.report.types import RANDOM, Column, Study, Work


class Generation(NamedTuple):
    """One model's reign: what is labelled when it takes over and when it hands on, and what it
    is worth on both. Cell.n is 0 where it was not trained."""

    model: str
    start: int
    end: int
    first: Cell
    last: Cell


def reigns(models: list[str], cycles: int) -> Iterator[tuple[str, int, int]]:
    """(model, cycle before its first choice, cycle of its last choice).

    Cycle 0 is random, so the first model takes over after it, as the others after their
    predecessor's last cycle. A model whose turn is cycle 0 alone chooses nothing.
    """
    turns = [cycle * len(models) // cycles for cycle in range(cycles)]
    for turn, model in enumerate(models):
        own = [cycle for cycle in range(1, cycles) if turns[cycle] == turn]
        if own:
            yield model, own[0] - 1, own[-1]


def generations(work: Work, line: str, policy: str) -> tuple[Generation, ...]:
    study, column = work.study, Column(line, policy)
    return tuple(
        Generation(
            model, study.budgets[start], study.budgets[end],
            measured(work, model, column, start), measured(work, model, column, end),
        )
        for model, start, end in reigns(study.lineages[line], len(study.budgets))
    )  # fmt: skip


def measured(work: Work, model: str, column: Column, cycle: int) -> Cell:
    """The model on what the lineage had chosen up to a cycle. After cycle 0 that is random
    itself, so there is no gain to speak of."""
    values, results = value(work, model, column, cycle)
    random = value(work, model, RANDOM, cycle)[0] if cycle else {}
    numbers = list(values.values())
    return Cell(
        model, column, len(values), statistics.mean(numbers), statistics.deviation(numbers),
        statistics.paired_gain(values, random), results,
    )  # fmt: skip


def gain(found: Gain | None, digits: int) -> str:
    if found is None:
        return MISSING
    return f"{formatting.signed(found.mean, digits)} {formatting.interval(found, digits)}".rstrip()


def sheet(work: Work, line: str) -> Sheet:
    """One lineage, under each policy a row for each generation."""
    study: Study = work.study
    several = len(study.policies) > 1

    def result(cell: Cell) -> Item:
        note = formatting.shortfall(cell.n, study.seeds)
        text = formatting.spread(cell, study.digits) + (f"\n{note}" if note else "")
        return Item(text, (cell.mean, cell.std, cell.n), tuple(r.source for r in cell.results))

    def over(cell: Cell) -> Item:
        found = cell.gain
        numbers = (found.mean, found.low, found.high, found.n) if found else (None,) * 4
        return Item(gain(found, study.digits), numbers)

    def row(policy: str, number: int, g: Generation) -> tuple[Item, ...]:
        return (
            *([Item(plain(policy))] if several else []), Item(str(number), (number,)),
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
