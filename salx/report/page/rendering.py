"""Render the blocks of sections: what each is on the page, and which files it leaves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from salx.report.figures import style
from salx.report.sections.blocks import Block, Drawing, Figures, File, Heading, Paragraph
from salx.report.tables import writers
from salx.report.tables.html import html
from salx.report.tables.table import Table

WRITERS = {"csv": writers.csv, "md": writers.markdown, "tex": writers.latex}


@dataclass(frozen=True)
class Rendered:
    """Hold what became of one or more blocks.

    Attributes:
      html: what stands on the page.
      files: contents by name, from W/report/.
      ids: those of elements of the page.
    """

    html: Markup = field(default_factory=Markup)
    files: dict[str, bytes] = field(default_factory=dict)
    ids: tuple[str, ...] = ()


def render(block: Block) -> Rendered:
    """Render one block.

    Args:
      block: one of a section.

    Returns:
      Its HTML and its files; nothing for a table without rows.

    Raises:
      TypeError: for what is no block.
    """
    match block:
        case Table():
            return table(block) if block.rows else Rendered()
        case Heading(text):
            return Rendered(Markup("<h3>{}</h3>\n").format(text))
        case Paragraph(text):
            return Rendered(Markup('<p class="caption">{}</p>\n').format(text))
        case Figures(drawings):
            made = joined(map(drawing, drawings))
            shown = Markup('<div class="figures">\n{}</div>\n').format(made.html)
            return Rendered(shown, made.files, made.ids)
        case File(name, content):
            return Rendered(files={name: content.encode()})
        case Markup():
            return Rendered(block + "\n")
    raise TypeError(f"a {type(block).__name__} is no block of a page")


def joined(parts: Iterable[Rendered]) -> Rendered:
    """Join what became of several blocks.

    Args:
      parts: in the order of the page.

    Returns:
      All of it.

    Raises:
      ValueError: for two files of one name.
    """
    text, files, ids = Markup(""), {}, []
    for each in parts:
        if twice := files.keys() & each.files.keys():
            raise ValueError(f"two files have the name {min(twice)}")
        text, files = text + each.html, files | each.files
        ids += each.ids
    return Rendered(text, files, tuple(ids))


def table(block: Table) -> Rendered:
    """Render a table; one with a name is also written as CSV, Markdown and LaTeX.

    Args:
      block: the table.

    Returns:
      Its HTML and its files.
    """
    if not block.name:
        return Rendered(html(block))
    files = {f"tables/{block.name}.{kind}": form(block).encode() for kind, form in WRITERS.items()}
    return Rendered(html(block), files, (block.name,))


def drawing(block: Drawing) -> Rendered:
    """Render a figure.

    Args:
      block: the figure.

    Returns:
      Its HTML, if it is shown, and its files, if it has any.
    """
    svg = style.encode(block.figure, "svg")
    files = {}
    if block.file:
        png = style.encode(block.figure, "png")
        files = {f"figures/{block.name}.svg": svg, f"figures/{block.name}.png": png}
    if not block.shown:
        return Rendered(files=files)
    shown = Markup('<figure id="{}" role="img" aria-label="{}">{}</figure>\n')
    return Rendered(
        shown.format(block.name, block.about, inline(block.name, svg)), files, (block.name,)
    )


def inline(name: str, svg: bytes) -> Markup:
    """Fit a figure into the page: its ids begin with its name, its ink and lines are the page's.

    Args:
      name: the figure's.
      svg: as matplotlib writes it.

    Returns:
      An element of the page.
    """
    text = svg.decode()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = text.replace("'DejaVu Sans'", "var(--sans)").replace(style.INK, "currentColor")
    return Markup(text.replace(style.LINE, "var(--line)").replace("#ffffff", "var(--paper)"))
