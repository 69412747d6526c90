"""What a study found, for the console: a verdict, tables, and how much of it is there."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from salx.report import formats, formatting, results, tables


def summary(workdir: Path, width: int) -> Text:
    """The verdict and each policy's table in at most `width` columns."""
    work = results.read(workdir)
    built = tables.build(work)
    finished, wanted = formatting.done(work)
    console = Console(width=width, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(Text(formatting.verdict(built, work.study)))
        for table in built:
            console.print(formats.layout(table, width))
            console.print(Text(formats.caption(table, "*"), "dim"))
        console.print(
            Text(f"{finished:,} of {formatting.counted(wanted, 'training run')} done.", "dim")
        )
    return Text.from_ansi(capture.get())
