"""Write W/report/: one page that needs nothing else, and its tables and figures as files."""

from collections.abc import Sequence
from pathlib import Path

from salx.infra import sealed, storage, version
from salx.infra.errors import InputError
from salx.report import (  # fmt: skip
    classes,
    costs,
    figures,
    findings,
    formats,
    html,
    lineage,
    paper,
    potentials,
    results,
    selections,
    sheets,
    style,
    surrogate_tables,
    tables,
    win_matrix,
)
from salx.report.html import PageFigure
from salx.report.selections import SelectionFacts
from salx.report.sheets import Sheet
from salx.report.tables import Table
from salx.report.types import Work

# What the report depends on. Scores are as large as the pool; the cycles' files stand for them.
INPUTS = (
    "study.json", "deployments/*/result.json", "selections/*/cycle_*.json*",
    "selections/*/strip_*.png", "deployments/*/config.json", "selections/*/config.json",
)  # fmt: skip


def write(workdir: Path) -> Path:
    """Write the report of a work folder, unless it is already there; return the page's path."""
    folder = workdir / "report"
    check(folder)
    stamp, inputs = folder / "made_from.json", made_from(workdir)
    if not is_current(stamp, inputs):
        work = results.read(workdir)
        files = render(work, selections.read(workdir, work.study))
        for name, content in files.items():
            storage.write_file(folder / name, content)
        digests = {name: sealed.digest(content) for name, content in files.items()}
        sealed.write_json(stamp, {"inputs": inputs, "files": digests})
    return folder / "index.html"


def check(folder: Path) -> None:
    """Raise InputError unless a report can be written into a folder, and into no other's."""
    for path in (folder, folder / "tables", folder / "figures"):
        if storage.in_bucket(path):
            return
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            kind = "a link" if path.is_symlink() else "no folder"
            raise InputError(f"{path}: is {kind}, and the report is written there; rename it")
        storage.sweep(path)


def made_from(workdir: Path) -> str:
    """Digest all that a report depends on, code and templates included."""
    templates = sorted(
        p for p in Path(__file__).parent.iterdir() if p.suffix in (".j2", ".css", ".json")
    )
    read = sorted(path for pattern in INPUTS for path in workdir.glob(pattern))
    names = [path.name for path in templates] + [str(path.relative_to(workdir)) for path in read]
    contents = [
        content for name, path in zip(names, [*templates, *read], strict=True)
        for content in (name.encode(), storage.read_file(path))
    ]  # fmt: skip
    return sealed.digest(version.code_version().encode(), *contents)


def is_current(stamp: Path, inputs: str) -> bool:
    """Say whether the report that a stamp stands for was made from these inputs and is whole."""
    try:
        made = sealed.read_json(stamp)
    except InputError:  # not there, or damaged: nothing is lost but the time to draw it again
        return False
    files = ((stamp.parent / name, digest) for name, digest in made["files"].items())
    return made["inputs"] == inputs and all(
        path.is_file() and sealed.digest(path.read_bytes()) == digest for path, digest in files
    )


def render(work: Work, selected: SelectionFacts) -> dict[str, bytes]:
    """Draw all of the report's files, by name below W/report/."""
    built = tables.build(work)
    cycles = dict.fromkeys((0, *work.study.deploy_cycles))
    every = [table for cycle in cycles for table in tables.build(work, cycle)]
    files = {
        "table.csv": formats.csv(built).encode(),
        "table.md": formats.markdown(built).encode(),
        "table.tex": formats.latex(built).encode(),
        "tables/curves.csv": formats.csv(every).encode(),
    }
    sections = compose(work, selected, built)
    for sheet in (sheet for section in sections.values() for sheet in section):
        for kind, form in (("csv", sheets.csv), ("md", sheets.markdown), ("tex", sheets.latex)):
            files[f"tables/{sheet.name}.{kind}"] = form(sheet).encode()
    drawn: list[PageFigure] = []
    for made in figures.draw(work, selected, built):
        svg = style.encode(made.figure, "svg")
        drawn.append(html.page_figure(made, svg))
        if made.file:
            files[f"figures/{made.name}.svg"] = svg
            files[f"figures/{made.name}.png"] = style.encode(made.figure, "png")
    files["index.html"] = html.page(work, selected, built, sections, drawn).encode()
    return files


def compose(work: Work, selected: SelectionFacts, built: Sequence[Table]) -> dict[str, list[Sheet]]:
    """Make the page's sheets by section; a sheet without rows is left out."""
    study = work.study
    repeated = paper.find(study)
    sections = {
        "paper": [paper.sheet(repeated, built)] if repeated else [],
        "statistics": [
            findings.verdicts(built, study), findings.intervals(built),
            findings.areas(tables.build(work, measure=tables.area), study), win_matrix.sheet(work),
        ],
        "potentials": [potentials.sheet(work, repeated)],
        "lineage": [lineage.sheet(work, line) for line in study.lineages],
        "diagnostics": surrogate_tables.sheets(work, selected, built),
        "classes": [classes.sheet(work)],
        "costs": [costs.training(work), costs.choosing(work, selected)],
    }  # fmt: skip
    return {name: [s for s in section if s.rows] for name, section in sections.items()}
