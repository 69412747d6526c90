"""Hold what a section is made from, and the blocks that it consists of."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from salx.report.analysis.grids import Grid
from salx.report.load.selections import SelectionFacts
from salx.report.load.types import StudyFacts, Work
from salx.report.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Material:
    """Hold all that a section may show.

    Attributes:
      work: the study and its results.
      selected: what choosing left.
      grids: for each policy, the pairs at the last budget.
    """

    work: Work
    selected: SelectionFacts
    grids: tuple[Grid, ...]

    @property
    def study(self) -> StudyFacts:
        """Return what the study is."""
        return self.work.study

    @property
    def several(self) -> bool:
        """Tell whether there are several policies besides random."""
        return len(self.grids) > 1


@dataclass(frozen=True)
class Heading:
    """Head what follows within a section.

    Attributes:
      text: the heading.
    """

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Say something in a paragraph.

    Attributes:
      text: plain text; markupsafe's Markup may hold links.
    """

    text: str


@dataclass(frozen=True)
class Drawing:
    """Hold a figure.

    Attributes:
      name: that of its files in W/report/figures/, and its id on the page.
      about: what it shows, for those who cannot see it.
      figure: as matplotlib draws it.
      shown: whether it is on the page.
      file: whether it is also written as SVG and PNG.
    """

    name: str
    about: str
    figure: "Figure"
    shown: bool = True
    file: bool = True


@dataclass(frozen=True)
class Figures:
    """Set figures side by side.

    Attributes:
      drawings: the figures.
    """

    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class File:
    """Write a file that is not shown on the page.

    Attributes:
      name: from W/report/.
      content: its text.
    """

    name: str
    content: str


Block = Heading | Paragraph | Table | Figures | File | Markup  # Markup goes into the page as it is
