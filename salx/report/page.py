"""W/report/: one page that needs nothing else, and its tables and figures as files beside it."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from salx.infra import sealed, storage, version
from salx.infra.errors import InputError
from salx.report import (  # fmt: skip
    classes,
    costs,
    figures,
    findings,
    formats,
    formatting,
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
from salx.report.selections import Evidence, Strip
from salx.report.sheets import Sheet
from salx.report.tables import DARK, LIGHT, SCALE, Table, colour
from salx.report.types import Work

# What the report depends on. Scores are as large as the pool; the cycles' files stand for them.
INPUTS = (
    "study.json", "deployments/*/result.json", "selections/*/cycle_*.json*",
    "selections/*/strip_*.png",
)  # fmt: skip
LINKS = 6  # a number from more files than that links to the list of them


def write(workdir: Path) -> Path:
    """Writes the report of a work folder, unless it is already there. Returns the page's path."""
    folder = workdir / "report"
    stamp, inputs = folder / "made_from.json", made_from(workdir)
    if not is_current(stamp, inputs):
        work = results.read(workdir)
        files = render(work, selections.read(workdir, work.study))
        for name, content in files.items():
            storage.write_file(folder / name, content)
        digests = {name: sealed.digest(content) for name, content in files.items()}
        sealed.write_json(stamp, {"inputs": inputs, "files": digests})
    return folder / "index.html"


def made_from(workdir: Path) -> str:
    """Digest of all that a report depends on, code and templates included."""
    own = sorted(p for p in Path(__file__).parent.iterdir() if p.suffix in (".j2", ".css", ".json"))
    given = sorted(path for pattern in INPUTS for path in workdir.glob(pattern))
    names = [path.name for path in own] + [str(path.relative_to(workdir)) for path in given]
    contents = [
        part for name, path in zip(names, [*own, *given], strict=True)
        for part in (name.encode(), path.read_bytes())
    ]  # fmt: skip
    return sealed.digest(version.code_version().encode(), *contents)


def is_current(stamp: Path, inputs: str) -> bool:
    try:
        made = sealed.read_json(stamp)
    except InputError:  # not there, or damaged: nothing is lost but the time to draw it again
        return False
    files = ((stamp.parent / name, digest) for name, digest in made["files"].items())
    return made["inputs"] == inputs and all(
        path.is_file() and sealed.digest(path.read_bytes()) == digest for path, digest in files
    )


def render(work: Work, found: Evidence) -> dict[str, bytes]:
    """All of the report's files, by name below W/report/."""
    built = tables.build(work)
    cycles = dict.fromkeys((0, *work.study.deploy_cycles))
    every = [table for cycle in cycles for table in tables.build(work, cycle)]
    files = {
        "table.csv": formats.csv(built).encode(),
        "table.md": formats.markdown(built).encode(),
        "table.tex": formats.latex(built).encode(),
        "tables/curves.csv": formats.csv(every).encode(),
    }
    sections = compose(work, found, built)
    for sheet in (sheet for part in sections.values() for sheet in part):
        for kind, form in (("csv", sheets.csv), ("md", sheets.markdown), ("tex", sheets.latex)):
            files[f"tables/{sheet.name}.{kind}"] = form(sheet).encode()
    drawn = []
    for made in figures.draw(work, found, built):
        svg = style.encode(made.figure, "svg")
        drawn.append({**made._asdict(), "svg": inline(made.name, svg)})
        if made.file:
            files[f"figures/{made.name}.svg"] = svg
            files[f"figures/{made.name}.png"] = style.encode(made.figure, "png")
    files["index.html"] = html(work, found, built, sections, drawn).encode()
    return files


def compose(work: Work, found: Evidence, built: Sequence[Table]) -> dict[str, list[Sheet]]:
    """The page's sheets by section; a sheet without rows is left out."""
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
        "diagnostics": surrogate_tables.sheets(work, found, built),
        "classes": [classes.sheet(work)],
        "costs": [costs.training(work), costs.choosing(work, found)],
    }  # fmt: skip
    return {name: [s for s in part if s.rows] for name, part in sections.items()}


def html(
    work: Work, found: Evidence, built: Sequence[Table], sections: dict[str, list[Sheet]],
    drawn: list[dict[str, Any]],
) -> str:  # fmt: skip
    """The page. Everything that comes from files is escaped; only our own drawings are not."""
    loader = PackageLoader("salx.report", "")
    page = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    template = page.get_template("page.html.j2")
    lines = {
        line: {policy: lineage.generations(work, line, policy) for policy in work.study.policies}
        for line in work.study.lineages
    }
    return template.render(
        study=work.study, tables=built, sections=sections, drawn=drawn, words=formatting,
        style=Markup(loader.get_source(page, "page.css")[0]), shade=shade, links=links,
        verdict=formatting.verdict(built, work.study), done=formatting.done(work), lines=lines,
        gain=lineage.gain, strips=[picture(strip) for strip in found.strips],
        environments=costs.environments(work), origins=costs.origins(work, found),
        settings=settings(work), scale=SCALE,
    )  # fmt: skip


def inline(name: str, svg: bytes) -> Markup:
    """A figure for the page: own ids, its ink and lines those of the page (light or dark)."""
    text = svg.decode()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = text.replace("'DejaVu Sans'", "var(--sans)").replace(style.INK, "currentColor")
    return Markup(text.replace(style.LINE, "var(--line)").replace("#ffffff", "var(--paper)"))


def links(sources: Sequence[str]) -> list[tuple[str, str]]:
    """(text, file) for each source: by its seed where that tells them apart, else by number.

    Nothing for more than LINKS of them: the table's CSV file lists those.
    """
    sources = list(dict.fromkeys(sources))
    seeds = [match[1] for s in sources if (match := re.search(r"\.s(\d+)[./]", s))]
    named = seeds if len(set(seeds)) == len(sources) else map(str, range(1, len(sources) + 1))
    return list(zip(named, sources, strict=True)) if len(sources) <= LINKS else []


def picture(strip: Strip) -> dict[str, Any]:
    """A strip with its PNG inside the page, and its size in pixels from the PNG's header."""
    width, height = (int.from_bytes(strip.png[at : at + 4], "big") for at in (16, 20))
    data = "data:image/png;base64," + base64.b64encode(strip.png).decode()
    return {**strip._asdict(), "source": strip.source, "data": data, "size": (width, height)}


def shade(value: float | None) -> str:
    """The custom properties that colour a cell in light and in dark."""
    return "" if value is None else f"--light:{colour(value, LIGHT)};--dark:{colour(value, DARK)}"


def settings(work: Work) -> dict[str, str]:
    """Every setting by its path in the config, in words."""
    flat = sealed.flatten(work.study.config)
    return {
        key: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in flat.items()
    }
