"""Show what the surrogates are like: their scores, their picks, and what goes with their gain."""

import base64
from collections.abc import Iterator

from markupsafe import Markup

from salx.report import formatting
from salx.report.analysis.grids import Grid
from salx.report.figures import histograms
from salx.report.load.selections import Strip
from salx.report.load.types import StudyFacts
from salx.report.sections.blocks import Block, Drawing, Figures, Heading, Material, Paragraph
from salx.report.sections.section import Section, register
from salx.report.tables import classes, surrogates

LONGEST_STRIP = 12  # pictures that a study puts side by side


@register("diagnostics")
class Diagnostics(Section):
    """Draw what the paper's Figure 4 draws, show the picks, and measure the surrogates."""

    title = "What the surrogates are like"
    order = 60

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show the scores, the first picks, the diagnostics of each policy, and the classes."""
        work, study, selected = material.work, material.study, material.selected
        yield from _scores(material)
        if selected.strips:
            yield Heading("What they chose")
            yield Paragraph(
                "The first picks of a cycle, the highest-ranked first, of the first seed."
            )
            strips = Markup("\n").join(_strip(strip, study) for strip in selected.strips)
            yield Markup('<div class="strips">\n{}\n</div>').format(strips)
        for grid in material.grids:
            yield surrogates.trait_table(work, grid, selected)
            yield surrogates.overlap_table(study, grid.policy, selected)
            if any(column.policy == grid.policy for column, _ in selected.scores):
                yield surrogates.agreement_table(study, grid.policy, selected)
        yield classes.table(work)


def _scores(material: Material) -> Iterator[Block]:
    """Show the scores of each policy that left any."""
    study, explained = material.study, False
    for grid in material.grids:
        drawings = tuple(drawings_of_scores(material, grid))
        if not drawings:
            continue
        which = f": {grid.title}" if material.several else ""
        yield Heading(f"How sure they are of what they have not seen{which}")
        if not explained:
            explained = True
            share = formatting.percent(study.budgets[0], study.dataset.pool)
            yield Paragraph(
                "The form of the paper's Figure 4: scores before the first choice, when all were "
                f"trained on the same random {share} of the pool (the paper: 10 %) and score the "
                "rest of it. The policy takes from the top; all panels of a policy share their "
                "axes."
            )
        yield Paragraph(
            Markup(
                'In one row: <a href="figures/figure_4_{0}.svg">Figure 4 as SVG</a>, '
                '<a href="figures/figure_4_{0}.png">PNG</a>.'
            ).format(grid.policy)
        )
        yield Figures(drawings)


def drawings_of_scores(material: Material, grid: Grid) -> Iterator[Drawing]:
    """Draw the scores of each surrogate under a policy before its first choice.

    Args:
      material: what the report shows.
      grid: the policy's.

    Yields:
      A panel for each surrogate, and one row of all of them as a file.
    """
    study, policy = material.study, grid.policy
    collected = histograms.collected(study, material.selected, policy)
    unit = study.policy_facts[policy].unit
    for surrogate in collected:
        about = f"{surrogate}: scores by {grid.title} before its first choice"
        figure = histograms.figure(collected, unit, [surrogate])
        yield Drawing(f"scores_{policy}_{surrogate}", about, figure, file=False)
    if collected:
        figure = histograms.figure(collected, unit, list(collected))
        yield Drawing(f"figure_4_{policy}", f"scores by {grid.title}", figure, shown=False)


def _strip(strip: Strip, study: StudyFacts) -> Markup:
    """Show the pictures of a strip, and which picks they are.

    Square pictures of equal size stand apart on the page: a mask hides the edge between them.
    """
    width, height = (int.from_bytes(strip.png[at : at + 4], "big") for at in (16, 20))
    pictures = min(strip.picks, LONGEST_STRIP)
    apart = Markup(f' style="--pictures:{pictures}"') if width == height * pictures else ""
    who = f"{study.label(strip.column)} in cycle {strip.cycle}"
    return Markup(
        '<figure class="strip"><div class="box" role="region" tabindex="0" '
        'aria-label="First picks of {}">'
        '<img src="data:image/png;base64,{}" width="{}" height="{}"{} alt="First picks of {}">'
        '</div>\n<figcaption>{}, cycle {}, <a href="../{}">seed {}</a></figcaption></figure>'
    ).format(
        who, base64.b64encode(strip.png).decode(), width, height,
        apart, who,
        study.label(strip.column), strip.cycle, strip.source, strip.seed,
    )  # fmt: skip
