"""Show every run: what it gave, and what it was trained on."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from salx.report.analysis import grids, origins
from salx.report.analysis.origins import Origin
from salx.report.formatting import MISSING, counted
from salx.report.sections.blocks import Block, File, Material, Paragraph
from salx.report.sections.section import Section, register
from salx.report.tables import pairs, writers
from salx.report.tables.table import Cell, Head, Table

HEADS = ("chosen by", "seed", "cycle", "labelled", "steps", "run", "checkpoint", "record")


@register("provenance")
class Provenance(Section):
    """List all runs, with the digests of their checkpoints and records."""

    title = "Where the numbers come from"
    order = 90

    def blocks(self, material: Material) -> Iterator[Block]:
        """List the runs model by model, and write the points of all curves into a file."""
        work, unit = material.work, material.study.unit
        yield Paragraph(
            Markup(
                "Every run of the study by the model that it trained. Its folder lies in the work "
                "folder's <code>deployments/</code>, the record of what it was trained on in "
                "<code>selections/</code>. Below each table stand the files behind its numbers. "
                "The curves' points with their runs: "
                '<a href="tables/curves.csv">curves.csv</a>.'
            )
        )
        for model, runs in origins.origins(work, material.selected):
            yield runs_table(model, runs, unit)
        cycles = dict.fromkeys((0, *material.study.deploy_cycles))
        every = [grid for cycle in cycles for grid in grids.build(work, cycle)]
        yield File("tables/curves.csv", writers.csv(pairs.listing(every)))


def runs_table(model: str, runs: Sequence[Origin], unit: str) -> Table:
    """List the runs of one model.

    Args:
      model: its label.
      runs: where each comes from.
      unit: that of the metric.

    Returns:
      A folded table that is on the page alone.
    """

    def row(origin: Origin) -> tuple[Cell, ...]:
        result = origin.result
        texts = (
            origin.label, str(result.seed), MISSING if result.cycle is None else str(result.cycle),
            f"{grids.SCALE * result.value:.2f}", f"{result.labelled:,}", f"{result.steps:,}",
        )  # fmt: skip
        return (
            *map(Cell, texts),
            Cell(result.run, link=result.source),
            Cell(result.checkpoint["digest"][7:19]),
            Cell(origin.record[7:19] if origin.record else MISSING),
        )

    return Table(
        name="",
        title=f"{model}: {counted(len(runs), 'run')}",
        caption="",
        heads=tuple(map(Head, (*HEADS[:3], unit, *HEADS[3:]))),
        rows=tuple(map(row, runs)),
        folded=True,
    )
