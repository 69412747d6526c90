"""Show results against the budget, and what the whole pool gives."""

from collections.abc import Iterator

from markupsafe import Markup

from salx.report import formatting
from salx.report.figures import curves
from salx.report.load import paper
from salx.report.sections.blocks import Block, Drawing, Figures, Heading, Material, Paragraph
from salx.report.sections.section import Section, register
from salx.report.tables import potentials


@register("curves")
class BudgetCurves(Section):
    """Draw what the paper's Figure 3 draws, and each model trained on what others chose."""

    title = "Results against the budget"
    order = 40

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show the models that choose for themselves, the potentials, and all deployments."""
        work, study = material.work, material.study
        models = [m for m in study.deployments if m in study.surrogates]
        if models:
            yield Heading("Each model choosing for itself, by policy")
            yield Paragraph(_explained(material))
            about = "{} choosing for itself, by policy, against the budget"
            panels = [
                Drawing(f"policies_{m}", about.format(m), curves.policies(work, [m]), file=False)
                for m in models
            ]
            row = curves.policies(work, models)
            about = "every model choosing for itself"
            yield Figures((*panels, Drawing("figure_3", about, row, shown=False)))
        yield potentials.table(work, paper.find(study))
        for number, grid in enumerate(material.grids):
            which = f": {grid.title}" if material.several else ""
            yield Heading(f"Each model trained on what others chose{which}")
            if number == 0:
                yield Paragraph(
                    "One panel for each trained model, one line for each that chose. A surrogate's "
                    "own training in every cycle gives its own curve more points."
                )
            about = f"{{}} against the budget, by who chose by {grid.title}"
            yield Figures(
                tuple(
                    Drawing(
                        f"curve_{grid.policy}_{model}",
                        about.format(model),
                        curves.deployment(work, model, grid.policy),
                    )
                    for model in study.deployments
                )
            )


def _explained(material: Material) -> Markup:
    """Explain the figures of models that choose for themselves."""
    study = material.study
    bars = (
        "Points are means, bars standard deviations over seeds, set side by side so that they can "
        "be told apart. "
        if study.seeds > 1
        else ""
    )
    return Markup(
        "The form of the paper's Figure 3. {}In brackets and dotted: the model's potential, its "
        "result on the whole pool, where it was trained so. All lines start at the same random {}; "
        "only measured points are drawn. In one row: "
        '<a href="figures/figure_3.svg">Figure 3 as SVG</a>, '
        '<a href="figures/figure_3.png">PNG</a>.'
    ).format(bars, formatting.percent(study.budgets[0], study.dataset.pool))
