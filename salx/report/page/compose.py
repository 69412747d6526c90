"""Make the sections of a page, and check what those from outside the package bring."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from salx.infra.errors import InputError, first_line
from salx.report.page.rendering import Rendered, joined, render
from salx.report.sections.blocks import Material
from salx.report.sections.section import SECTIONS, Section

NAME = re.compile(r"([A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+(\.[A-Za-z0-9]+)?")  # of files and ids
RESERVED = {"index.html": "the page", "made_from.json": "the page", "main": "the page"}


@dataclass(frozen=True)
class PageSection:
    """Hold a section as it stands on the page.

    Attributes:
      name: the section's.
      title: its heading.
      made: its HTML and its files.
    """

    name: str
    title: str
    made: Rendered

    @property
    def anchor(self) -> str:
        """Return the section's id on the page."""
        return re.sub(r"[^A-Za-z0-9_-]", "-", self.name)


def compose(material: Material, kinds: Mapping[str, type[Section]]) -> tuple[PageSection, ...]:
    """Make the sections of a page.

    Args:
      material: what they may show.
      kinds: the sections by name, in their order.

    Returns:
      The sections that show something or leave files.

    Raises:
      InputError: naming the section, where one from outside the package fails, or brings what
        cannot be on the page.
    """
    made = [
        PageSection(name, kind.title, _made(name, kind, material)) for name, kind in kinds.items()
    ]
    made = [section for section in made if section.made != Rendered()]
    _check_names(made)
    return tuple(made)


def _made(name: str, kind: type[Section], material: Material) -> Rendered:
    """Make and render the blocks of a section."""
    try:
        return joined(map(render, kind().blocks(material)))
    except Exception as error:  # whatever a section of others raises
        if SECTIONS.origin(name) is None:
            raise
        why = f"{type(error).__name__}: {first_line(error)}"
        raise InputError(f"section {name!r} failed: {why}") from error


def _check_names(sections: Iterable[PageSection]) -> None:
    """Check that every name of a file or an element is of one section, and stays in W/report/."""
    taken = dict(RESERVED)
    for section in sections:
        for name in _names(section):
            if not NAME.fullmatch(name):
                raise InputError(f"section {section.name!r}: {name!r} cannot be a file's name")
            if name in taken:
                raise InputError(f"section {section.name!r}: {name!r} is of {taken[name]}, too")
            taken[name] = f"section {section.name!r}"


def _names(section: PageSection) -> Iterator[str]:
    """Name the elements and the files of a section."""
    yield section.anchor
    yield from section.made.ids
    yield from section.made.files
