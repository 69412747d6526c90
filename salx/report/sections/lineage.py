"""Show lines of models, each the next one's surrogate."""

from collections.abc import Iterator

from markupsafe import Markup

from salx.report import formatting
from salx.report.analysis.lineage import Generation, generations
from salx.report.load.types import StudyFacts
from salx.report.sections.blocks import Block, Material
from salx.report.sections.section import Section, register
from salx.report.tables import lineage


@register("lineage")
class Lineage(Section):
    """Show what each generation of a lineage inherits, and what it makes of it."""

    title = "Lineage: each model the next one's surrogate"
    order = 50

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show each lineage as a line of boxes, and as a table."""
        study = material.study
        for line in study.lineages:
            for policy in study.policies:
                name = study.title(policy) if material.several else ""
                yield _line(generations(material.work, line, policy), name, study)
            yield lineage.table(material.work, line)


def _line(made: tuple[Generation, ...], name: str, study: StudyFacts) -> Markup:
    """Show the generations of a lineage under a policy from left to right."""
    items = Markup("\n").join(_box(g, n, name, study) for n, g in enumerate(made, 1))
    return Markup('<ol class="line" aria-label="{}">\n{}\n</ol>').format(
        name or "generations", items
    )


def _box(generation: Generation, number: int, name: str, study: StudyFacts) -> Markup:
    """Show one generation: its model, what is labelled, what it reached and gained."""
    first, last = generation.first, generation.last
    gain = (
        f"{lineage.gain(last.gain, study.digits)} over random"
        if last.gain
        else f"gain over random: {formatting.MISSING}"
    )
    reached = " → ".join(formatting.number(each.mean, study.digits) for each in (first, last))
    return Markup(
        '<li><span class="quiet">{}generation {}</span>\n<strong>{}</strong>\n'
        '<span>{:,} → {:,} labelled</span>\n<span class="mean">{} {}</span>\n'
        '<span class="gain">{}</span></li>'
    ).format(
        f"{name}, " if name else "", number, generation.model, generation.start, generation.end,
        reached, study.unit, gain,
    )  # fmt: skip
