"""Compare what was chosen with random, and policies with each other."""

from collections.abc import Iterator

from salx.report.analysis import grids
from salx.report.figures import gains
from salx.report.sections.blocks import Block, Drawing, Figures, Material, Paragraph
from salx.report.sections.section import Section, register
from salx.report.tables import findings, wins


@register("statistics")
class Statistics(Section):
    """Show how often choosing is better than random, how surely, and by how much."""

    title = "Against random"
    order = 30

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show the counts, every gain, the areas, and the win matrix of policies."""
        work, study = material.work, material.study
        yield findings.verdicts(material.grids, study)
        drawings = tuple(_drawings(material))
        if drawings:
            bars = (
                "Bars are the 95 % t-intervals; a dot is filled where the gain is beyond chance "
                "after Holm's correction."
                if study.seeds > 1
                else "One seed: no intervals."
            )
            yield Paragraph(
                f"The tables' gains, drawn: in bold the trained model, below it who chose. {bars}"
            )
            yield Figures(drawings)
        yield findings.intervals(material.grids)
        yield findings.areas(grids.build(work, measure=grids.area), study)
        yield wins.table(work)


def _drawings(material: Material) -> Iterator[Drawing]:
    """Draw the gains of each policy that has any."""
    for grid in material.grids:
        if any(pair.gain for pair in grid.pairs):
            about = f"gains over random of what was chosen by {grid.title}"
            yield Drawing(f"gain_{grid.policy}", about, gains.gains(material.work, grid))
