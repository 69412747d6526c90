"""Define what a section is, and find all sections of a page."""

import pkgutil
from collections.abc import Iterable
from pathlib import Path

from salx.infra.errors import InputError
from salx.infra.registry import Registry
from salx.report.sections.blocks import Block, Material

SECTIONS: Registry[type["Section"]] = Registry(
    "section",
    "salx.report_sections",
    [
        f"{__package__}.{module.name}"
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    ],
)
register = SECTIONS.register


class Section:
    """Show one subject on a page; a subclass is registered with `register(name)`.

    Attributes:
      title: its heading.
      order: sections stand by ascending order, then by name. Those of the package have 10, 20 and
        so on; one from outside stands before what was run, unless it says where.
    """

    title: str = ""
    order: float = 65

    def blocks(self, material: Material) -> Iterable[Block]:
        """Make what the section consists of. It may look at nothing but the material.

        Args:
          material: the study, its results, and what choosing left.

        Returns:
          The blocks from top to bottom; a section of none is left out, as are tables without rows.
        """
        raise NotImplementedError


def find(more: Iterable[str] = ()) -> dict[str, type[Section]]:
    """Find the sections of a page.

    Args:
      more: sections besides those that are registered or that packages bring, by name or as
        `module:Class`.

    Returns:
      The sections by name, in their order.

    Raises:
      InputError: naming the one that cannot be loaded or is no section.
    """
    wanted = {name: _kind(name) for name in more}  # their modules may register them, too
    kinds = {name: _kind(name) for name in SECTIONS.names()}
    kinds |= {name: kind for name, kind in wanted.items() if kind not in kinds.values()}
    return dict(sorted(kinds.items(), key=lambda item: (item[1].order, item[0])))


def _kind(name: str) -> type[Section]:
    """Look up the section of a name."""
    kind = SECTIONS.get(name)
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        raise InputError(f"section {name!r} must be a class that is a salx.report.sections.Section")
    if not (isinstance(kind.title, str) and kind.title):
        raise InputError(f"section {name!r} has no title")
    if isinstance(kind.order, bool) or not isinstance(kind.order, int | float):
        raise InputError(f"section {name!r}: its order must be a number")
    return kind


def origins(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Tell where the sections from outside the package come from.

    Args:
      names: those of the sections.

    Returns:
      By name what `Registry.origin` says; nothing of the package's own.
    """
    every = {name: SECTIONS.origin(name) for name in names}
    return {name: origin for name, origin in every.items() if origin}
