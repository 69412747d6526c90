"""What Sphinx needs of us: the directive `reference`, shell cells that look like shell, and
docstrings as reStructuredText has them."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

MAGIC = "%%bash -e\n"


class Reference(SphinxDirective):
    """Put a part of the generated reference in its place: ```{reference} policy_pages```."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse what the function of that name returns."""
        import reference

        text = reference.PAGES[self.arguments[0]]()
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def show_as_shell(app: Sphinx, document: nodes.document) -> None:
    """Show cells that bash runs without their first line, which asks for it."""
    for block in document.findall(nodes.literal_block):
        if block.astext().startswith(MAGIC):
            text = block.astext().removeprefix(MAGIC)
            block["language"], block.rawsource = "sh", text
            block.clear()
            block += nodes.Text(text)


def restructured(
    app: Sphinx, what: str, name: str, owner: Any, options: Any, lines: list[str]
) -> None:
    """Set lists of a docstring apart by empty lines, and escape the bars of |A|."""
    spaced: list[str] = []
    for line in lines:
        if line.lstrip().startswith("- ") and spaced and spaced[-1].strip():
            spaced.append("")
        spaced.append(re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or r"\|", line))
    lines[:] = spaced


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all with Sphinx."""
    app.add_directive("reference", Reference)
    app.connect("doctree-read", show_as_shell)
    app.connect("autodoc-process-docstring", restructured, priority=400)  # before napoleon
    return {"parallel_read_safe": True}
