"""Make the sections of a report's page: one file each, also outside of this package.

    from salx.report.sections import Paragraph, Section, register

    @register("slowest")
    class Slowest(Section):
        \"\"\"Say which run took longest.\"\"\"

        title = "The slowest run"

        def blocks(self, material):
            slowest = max(material.work.results.values(), key=lambda r: r.seconds["train"])
            yield Paragraph(f"{slowest.run}: {slowest.seconds['train']:.0f} s")

A package brings its sections through entry points of the group `salx.report_sections`; the name of
an entry point is the section's. `salx report W --section=module:Class` adds one to a single page.
"""

from salx.report.sections.blocks import (
    Block,
    Drawing,
    Figures,
    File,
    Heading,
    Material,
    Paragraph,
)
from salx.report.sections.section import Section, register
from salx.report.tables.table import AMOUNT, Cell, Head, Table, amount

__all__ = [
    "AMOUNT", "Block", "Cell", "Drawing", "Figures", "File", "Head", "Heading", "Material",
    "Paragraph", "Section", "Table", "amount", "register",
]  # fmt: skip
