"""Sections of a report that the package does not have."""

from salx.report.sections import Cell, File, Head, Heading, Paragraph, Section, Table


class Slowest(Section):
    """Say which run took longest to train, and list all of them."""

    title = "The slowest <run>"
    order = 5

    def blocks(self, material):
        runs = sorted(material.work.results.values(), key=lambda r: -r.seconds["train"])
        yield Heading("By hand & by clock")
        yield Paragraph(f"{runs[0].run} took {runs[0].seconds['train']:.1f} s.")
        rows = [(Cell(r.run), self.seconds(r)) for r in runs]
        heads = (Head("run"), Head("training", ("seconds",)))
        yield Table("slowest", "From slow to fast", "Seconds.", heads, tuple(rows))
        yield Table("nothing", "Nothing", "A table without rows is left out.", heads, ())
        yield File("slowest.txt", runs[0].run)

    def seconds(self, result):
        seconds = result.seconds["train"]
        return Cell(f"{seconds:.1f} s", (seconds,), (result.source,))


class Failing(Section):
    """Fail."""

    title = "Failing"

    def blocks(self, material):
        yield Paragraph("so far so good")
        raise ZeroDivisionError("nothing to divide by\nat all")


class Taking(Section):
    """Take a name that another section has."""

    title = "Taking"

    def blocks(self, material):
        yield File("tables/gains.csv", "mine")


class Leaving(Section):
    """Leave the report's folder."""

    title = "Leaving"

    def blocks(self, material):
        yield File("../study.json", "mine")


class Untitled(Section):
    """Have no title."""
