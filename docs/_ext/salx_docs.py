"""What Sphinx needs of us: the directive `reference`, and shell cells that look like shell."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

MAGIC = "%%bash\n"


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


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both with Sphinx."""
    app.add_directive("reference", Reference)
    app.connect("doctree-read", show_as_shell)
    return {"parallel_read_safe": True}
