"""Show the study's main table, and explain how to read it."""

from collections.abc import Iterator

from markupsafe import Markup

from salx.report import formatting
from salx.report.sections.blocks import Block, File, Material, Paragraph
from salx.report.sections.section import Section, register
from salx.report.tables import pairs, writers
from salx.report.tables.colours import shading


@register("table")
class MainTable(Section):
    """Show who chose well for whom."""

    title = "Who chooses well for whom"
    order = 10

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show a table for each policy, and write all of them into three files."""
        study, first = material.study, material.grids[0]
        share = formatting.percent(first.labelled, first.pool)
        yield Paragraph(
            f"Each cell: {study.metric} ({study.unit}) on {study.dataset.val:,} validation "
            f"examples, after training on the {first.labelled:,} examples ({share} of the pool) "
            "that the column's model chose."
        )
        tables = [
            pairs.main_table(grid, grid.title if material.several else "")
            for grid in material.grids
        ]
        yield from tables
        yield _key(material)
        yield File("table.csv", writers.csv(pairs.listing(material.grids)))
        yield File("table.md", "\n".join(map(writers.markdown, tables)))
        yield File("table.tex", "\n".join(map(writers.latex, tables)))


def _key(material: Material) -> Markup:
    """Explain the colours, the numbers and where they are from."""
    study = material.study
    swatches = (Markup('<i style="{}"></i>').format(shading(step / 4)) for step in range(5))
    colours = Markup(
        '<p>Each row is coloured by rank from its worst<span class="ramp">{}</span>to its best; '
        'equal numbers share a colour. <span class="self"></span> the model chose for itself.</p>'
    ).format(Markup("").join(swatches))
    if study.seeds > 1:
        numbers = (
            f"Large: mean ± standard deviation over {study.seeds} seeds. Small: gain over random "
            f"in {study.unit} points, paired by seed, and its 95 % t-interval; where it includes "
            f"zero, these seeds cannot tell the pair from random. {formatting.DAGGER} marks a gain "
            "beyond chance after Holm's correction for all gains of the grid."
        )
    else:
        numbers = (
            f"Large: the result of the only seed. Small: its gain over random in {study.unit} "
            "points. One seed gives neither a spread nor an interval."
        )
    files = Markup(
        '<p>The same numbers: <a href="table.csv">table.csv</a>, <a href="table.md">table.md</a>, '
        '<a href="table.tex">table.tex</a>. Where each comes from: the runs listed below the '
        'table, and <a href="#provenance">all runs</a>.</p>'
    )
    return Markup('<div class="key caption">{}<p>{}</p>{}</div>').format(colours, numbers, files)
