"""Set the paper's Tables 3 to 5 beside a study that repeats one of them.

Frickenstein et al., IntelliSys 2024; the figures and where they stand are in paper.json.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from salx.report import formatting, statistics
from salx.report.sheets import Head, Item, Sheet
from salx.report.tables import Cell, Table
from salx.report.types import RANDOM, StudyFacts


@dataclass(frozen=True)
class Paper:
    """Hold one table of the paper.

    Args:
      cells: (mean, std) by deployment and surrogate, in percent.
      potential: results on the whole pool, in percent.
      names: the paper's name of each model of the study that it has.
    """

    number: int
    metric: str
    policy: str
    seeds: int
    cells: Mapping[str, Mapping[str, tuple[float, float]]]
    potential: Mapping[str, float]
    names: Mapping[str, str]

    def figure(self, deployment: str, surrogate: str | None) -> tuple[float, float] | None:
        """Take (mean, std) of a pair of the study; None where the paper has no such pair."""
        chooser = RANDOM.policy if surrogate is None else self.names.get(surrogate)
        pair = self.cells.get(self.names.get(deployment, ""), {}).get(chooser or "")
        return tuple(pair) if pair else None

    def gain(self, deployment: str, surrogate: str) -> float | None:
        """Take the paper's mean of a pair less its mean of random."""
        pair, random = self.figure(deployment, surrogate), self.figure(deployment, None)
        return pair[0] - random[0] if pair and random else None


@functools.cache
def facts() -> dict[str, Any]:
    """Read paper.json."""
    return json.loads((Path(__file__).parent / "paper.json").read_text(encoding="utf-8"))


def find(study: StudyFacts) -> Paper | None:
    """Find the table that a study repeats: the same data set, and models of the paper by network.

    A network counts as itself whatever else is configured of it: a comparison, not an identity.
    """
    table = facts()["tables"].get(study.dataset.name.lower())
    if table is None or table["policy"] not in study.policies:
        return None
    names = {}
    for label, model in study.config["models"].items():
        network = facts()["networks"].get(str(model.get("name")).removeprefix("deeplab_"))
        if network in table["cells"]:
            names[label] = network
    figures = {f.name: table[f.name] for f in fields(Paper) if f.name != "names"}
    return Paper(**figures, names=names) if names else None


def pairs(paper: Paper, table: Table) -> list[tuple[float, float]]:
    """Give (our gain, the paper's) of each pair off the diagonal that both have."""
    both = [
        (cell.gain.mean, paper.gain(cell.deployment, cell.column.surrogate))
        for cell in table.cells if cell.gain and not cell.diagonal
    ]  # fmt: skip
    return [(ours, theirs) for ours, theirs in both if theirs is not None]


def agreement(paper: Paper, table: Table) -> str:
    """Say how the gains of the pairs off the diagonal compare, in one sentence."""
    both = pairs(paper, table)
    if not both:
        return f"No pair can be compared with the paper's Table {paper.number} yet."
    same = sum((ours > 0) == (theirs > 0) for ours, theirs in both)
    ours, theirs = (statistics.mean(side) for side in zip(*both, strict=True))
    return (
        f"The gain over random has the paper's sign in {same} of "
        f"{formatting.counted(len(both), 'pair')}; over these the mean gain is "
        f"{formatting.signed(ours, 2)} here and {formatting.signed(theirs, 2)} in the paper's "
        f"Table {paper.number}."
    )


def sheet(paper: Paper, built: Sequence[Table]) -> Sheet:
    """Show every cell of the study above the paper's, each with its gain over random."""
    table = next(table for table in built if table.policy == paper.policy)

    def line(name: str, mean: float, std: float | None, gain: float | None) -> str:
        text = f"{name} {formatting.amount(mean, std, table.digits)}"
        return text if gain is None else f"{text} ({formatting.signed(gain, table.digits)})"

    def item(cell: Cell) -> Item:
        theirs = paper.figure(cell.deployment, cell.column.surrogate)
        gain = cell.column.surrogate and paper.gain(cell.deployment, cell.column.surrogate)
        ours = cell.gain.mean if cell.gain else None
        lines = [
            line("here", cell.mean, cell.std, ours) if cell.n else f"here {formatting.MISSING}",
            line("paper", *theirs, gain or None) if theirs else f"paper {formatting.MISSING}",
        ]
        numbers = (cell.mean, cell.std, cell.n, ours, *(theirs or (None, None)), gain)
        return Item("\n".join(lines), numbers, cell.sources)

    names = ("mean", "std", "n", "gain", "paper mean", "paper std", "paper gain")
    return Sheet(
        name="paper",
        title=f"Beside the paper's Table {paper.number}",
        caption=(
            f"{table.metric} ({table.unit}), here over {formatting.counted(table.seeds, 'seed')} "
            f"and in the paper over {paper.seeds}; in brackets the gain over random. "
            f"{agreement(paper, table)} Paper: {facts()['source']}."
        ),
        heads=(Head("trained"), *(Head(label, names) for label in table.labels)),
        rows=tuple(
            (Item(f"{row[0].deployment}\n{paper.names[row[0].deployment]}"), *map(item, row))
            for row in table.rows if row[0].deployment in paper.names
        ),
    )  # fmt: skip
