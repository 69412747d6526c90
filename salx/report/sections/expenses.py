"""Show what the study took, and on what it ran."""

from collections.abc import Iterator

from salx.report import formatting
from salx.report.analysis import origins
from salx.report.sections.blocks import Block, Material, Paragraph
from salx.report.sections.section import Section, register
from salx.report.tables import costs


@register("costs")
class Expenses(Section):
    """Show the time of training and of choosing, and the machines."""

    title = "For how long, on what"
    order = 80

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show both tables, and each kind of machine with its number of runs."""
        yield costs.training(material.work)
        yield costs.choosing(material.work, material.selected)
        for environment, count in origins.environments(material.work):
            facts = ", ".join(f"{key} {value}" for key, value in environment.items())
            yield Paragraph(f"{formatting.counted(count, 'run')} on: {facts}.")
