"""Show what was run: the data, the budgets, and every setting."""

from collections.abc import Iterator

from markupsafe import Markup

from salx.infra import sealed
from salx.report import formatting, verdict
from salx.report.load.types import StudyFacts
from salx.report.sections.blocks import Block, Material
from salx.report.sections.section import Section, register

NAMED = 12  # classes that are named


@register("run")
class Settings(Section):
    """Show what the study is."""

    title = "What was run"
    order = 70

    def blocks(self, material: Material) -> Iterator[Block]:
        """Show the facts of the study, and its config folded."""
        done, wanted = verdict.done(material.work)
        facts = _facts(material.study)
        yield _listed(facts | {"runs": f"{done:,} of {wanted:,} training runs done"})
        items = {
            Markup("<code>{}</code>").format(key): Markup("<code>{}</code>").format(value)
            for key, value in settings(material.study).items()
        }
        yield Markup(
            "<details>\n<summary>Recipe: every setting of the study</summary>\n{}\n</details>"
        ).format(_listed(items))


def _listed(items: dict[str, str]) -> Markup:
    """List terms and what they are."""
    pairs = (Markup("<dt>{}</dt><dd>{}</dd>").format(*item) for item in items.items())
    return Markup("<dl>\n{}\n</dl>").format(Markup("\n").join(pairs))


def _facts(study: StudyFacts) -> dict[str, str]:
    """Say what the study is, by subject."""
    dataset, cycles = study.dataset, study.deploy_cycles
    more = ", …" if len(dataset.classes) > NAMED else ""
    return {
        "data": f"{dataset.name}: {dataset.about}",
        "pool, validation": (
            f"{dataset.pool:,} and {dataset.val:,} examples of {len(dataset.classes)} classes "
            f"({', '.join(map(str, dataset.classes[:NAMED]))}{more})"
        ),
        "fingerprint": Markup("<code>{}</code>").format(dataset.fingerprint),
        "policies": f"{formatting.either(study.titles)}, beside random",
        "labelled": (
            f"{', '.join(map(str, study.budgets))} examples, in "
            f"{formatting.counted(len(study.budgets), 'cycle')}; other models are trained after "
            f"cycle{'s' if len(cycles) > 1 else ''} {', '.join(map(str, cycles))} (counted from 0)"
        ),
    }


def settings(study: StudyFacts) -> dict[str, str]:
    """Show every setting of a study.

    Args:
      study: what the study is.

    Returns:
      The text of each by its path in the config.
    """
    flat = sealed.flatten(study.config)
    return {
        key: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in flat.items()
    }
