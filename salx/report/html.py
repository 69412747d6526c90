"""Fill the templates of the page from what the other modules made."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from salx.infra import sealed
from salx.report import costs, formatting, lineage, style, verdict
from salx.report.colours import shading
from salx.report.figures import Drawn
from salx.report.selections import SelectionFacts, Strip
from salx.report.sheets import Sheet
from salx.report.tables import SCALE, Table
from salx.report.types import Column, Work

LINKS = 6  # a number from more files than that links to the list of them


@dataclass(frozen=True)
class PageFigure:
    """Hold a figure as the page shows it; the fields are those of figures.Drawn."""

    kind: str
    policy: str
    name: str
    about: str
    svg: Markup


@dataclass(frozen=True)
class PageStrip:
    """Hold a strip of picks as the page shows it.

    Args:
      source: its file, from the work folder.
      data: the PNG as a data URL.
      size: width and height in pixels.
    """

    column: Column
    seed: int
    cycle: int
    source: str
    data: str
    size: tuple[int, int]


def page(
    work: Work, selected: SelectionFacts, built: Sequence[Table],
    sections: Mapping[str, Sequence[Sheet]], drawn: Sequence[PageFigure],
) -> str:  # fmt: skip
    """Write the page. Everything that comes from files is escaped; only our own drawings are not.

    Args:
      sections: the sheets by section.
      drawn: the figures.
    """
    loader = PackageLoader("salx.report", "")
    templates = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    study = work.study
    lines = {
        line: {policy: lineage.generations(work, line, policy) for policy in study.policies}
        for line in study.lineages
    }
    return templates.get_template("page.html.j2").render(
        study=study, tables=built, sections=sections, drawn=drawn, formatting=formatting,
        style=Markup(loader.get_source(templates, "page.css")[0]), shading=shading, links=links,
        verdict=verdict.verdict(built), done=verdict.done(work), lines=lines,
        gain=lineage.gain, strips=[page_strip(strip) for strip in selected.strips],
        environments=costs.environments(work), origins=costs.origins(work, selected),
        settings=settings(work), scale=SCALE,
    )  # fmt: skip


def page_figure(drawn: Drawn, svg: bytes) -> PageFigure:
    """Take a figure and its SVG into the page."""
    return PageFigure(drawn.kind, drawn.policy, drawn.name, drawn.about, inline(drawn.name, svg))


def page_strip(strip: Strip) -> PageStrip:
    """Take a strip's PNG into the page, and its size from the PNG's header."""
    width, height = (int.from_bytes(strip.png[at : at + 4], "big") for at in (16, 20))
    data = "data:image/png;base64," + base64.b64encode(strip.png).decode()
    return PageStrip(strip.column, strip.seed, strip.cycle, strip.source, data, (width, height))


def inline(name: str, svg: bytes) -> Markup:
    """Fit a figure into the page: its ids begin with its name, its ink and lines are the page's."""
    text = svg.decode()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = text.replace("'DejaVu Sans'", "var(--sans)").replace(style.INK, "currentColor")
    return Markup(text.replace(style.LINE, "var(--line)").replace("#ffffff", "var(--paper)"))


def links(sources: Sequence[str]) -> list[tuple[str, str]]:
    """Give (text, file) of each source: its seed where that tells them apart, else its number.

    Nothing for more than LINKS of them: the table's CSV file lists those.
    """
    sources = list(dict.fromkeys(sources))
    seeds = [match[1] for s in sources if (match := re.search(r"\.s(\d+)[./]", s))]
    named = seeds if len(set(seeds)) == len(sources) else map(str, range(1, len(sources) + 1))
    return list(zip(named, sources, strict=True)) if len(sources) <= LINKS else []


def settings(work: Work) -> dict[str, str]:
    """Show every setting by its path in the config."""
    flat = sealed.flatten(work.study.config)
    return {
        key: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in flat.items()
    }
