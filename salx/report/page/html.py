"""Write the page from its sections."""

from collections.abc import Sequence

from markupsafe import Markup

from salx.report import templates, verdict
from salx.report.page.compose import PageSection
from salx.report.sections.blocks import Material


def page(material: Material, sections: Sequence[PageSection]) -> str:
    """Write the page. Everything that comes from files is escaped.

    Args:
      material: what the sections are made from.
      sections: those that stand on the page.

    Returns:
      One HTML file that needs nothing else.
    """
    return templates.fill(
        "page/page.html.j2",
        study=material.study,
        sections=[section for section in sections if section.made.html],
        style=Markup(templates.source("page/page.css")),
        verdict=verdict.verdict(material.grids),
        done=verdict.done(material.work),
    )
