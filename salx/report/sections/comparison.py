"""Set the paper beside a study that repeats one of its tables."""

from collections.abc import Iterator

from salx.report.load import paper
from salx.report.sections.blocks import Block, Material
from salx.report.sections.section import Section, register
from salx.report.tables.paper import table


@register("comparison")
class Comparison(Section):
    """Show the study's numbers above the paper's own."""

    title = "Beside the paper"
    order = 20

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show one table, where the study repeats one of the paper's."""
        repeated = paper.find(material.study)
        if repeated:
            yield table(repeated, material.grids)
