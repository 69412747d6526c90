"""W/report/: one page that needs nothing else, and the table and figures as files beside it."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from salx import runs
from salx.errors import InputError
from salx.report import figures, formats, results, tables, words
from salx.report.tables import DARK, LIGHT, SCALE, Table, colour
from salx.report.values import Column, Result, Work

# What the report depends on. Scores are as large as the pool; the cycles' files stand for them.
INPUTS = ("study.json", "deployments/*/result.json", "selections/*/cycle_*.json*")


def write(workdir: Path) -> Path:
    """Writes the report of a work folder, unless it is already there. Returns the page's path."""
    folder = workdir / "report"
    stamp, inputs = folder / "made_from.json", made_from(workdir)
    if not is_current(stamp, inputs):
        work = results.read(workdir)
        files = render(work)
        for name, content in files.items():
            runs.write_file(folder / name, content)
        digests = {name: runs.digest(content) for name, content in files.items()}
        runs.write_json(stamp, {"inputs": inputs, "files": digests})
    return folder / "index.html"


def made_from(workdir: Path) -> str:
    """Digest of all that a report depends on, the code included."""
    paths = sorted(path for pattern in INPUTS for path in workdir.glob(pattern))
    contents = [part for p in paths for part in (str(p.relative_to(workdir)), p.read_bytes())]
    parts = [part.encode() if isinstance(part, str) else part for part in contents]
    return runs.digest(runs.code_version().encode(), *parts)


def is_current(stamp: Path, inputs: str) -> bool:
    try:
        made = runs.read_json(stamp)
    except InputError:  # not there, or damaged: nothing is lost but the time to draw it again
        return False
    files = ((stamp.parent / name, digest) for name, digest in made["files"].items())
    return made["inputs"] == inputs and all(
        path.is_file() and runs.digest(path.read_bytes()) == digest for path, digest in files
    )


def render(work: Work) -> dict[str, bytes]:
    """All of the report's files, by name below W/report/."""
    table = tables.build(work)
    files, drawn = {}, []
    for kind, name, figure in figures.draw(work, table):
        svg = figures.encode(figure, "svg")
        files[f"figures/{name}.svg"] = svg
        files[f"figures/{name}.png"] = figures.encode(figure, "png")
        drawn.append({"kind": kind, "name": name, "svg": inline(name, svg)})
    files["table.csv"] = formats.csv(table).encode()
    files["table.md"] = formats.markdown(table).encode()
    files["table.tex"] = formats.latex(table).encode()
    files["index.html"] = html(work, table, drawn).encode()
    return files


def html(work: Work, table: Table, drawn: list[dict[str, Any]]) -> str:
    """The page. Everything that comes from files is escaped; only our own drawings are not."""
    loader = PackageLoader("salx.report", "")
    page = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    style = Markup(loader.get_source(page, "page.css")[0])
    template = page.get_template("page.html.j2")
    return template.render(
        study=work.study, table=table, drawn=drawn, words=words, style=style, shade=shade,
        verdict=words.verdict(table, work.study), done=words.done(work), costs=costs(work),
        scorings=scorings(work), environments=environments(work),
        provenance=provenance(work, table), settings=settings(work),
        scores=work.scores, scale=SCALE,
    )  # fmt: skip


def inline(name: str, svg: bytes) -> Markup:
    """A figure for the page: own ids, its ink and lines those of the page (light or dark)."""
    text = svg.decode()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = text.replace("'DejaVu Sans'", "var(--sans)").replace(figures.INK, "currentColor")
    return Markup(text.replace(figures.LINE, "var(--line)"))


def shade(value: float | None) -> str:
    """The custom properties that colour a cell in light and in dark."""
    return "" if value is None else f"--light:{colour(value, LIGHT)};--dark:{colour(value, DARK)}"


def settings(work: Work) -> dict[str, str]:
    """Every setting by its path in the config, in words."""
    flat = runs.flatten(work.study.config)
    return {
        key: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in flat.items()
    }


def costs(work: Work) -> list[dict[str, Any]]:
    """What training took, by model."""
    rows = []
    for model in dict.fromkeys([*work.study.models, *work.study.deployments]):
        own = [r for r in work.results.values() if r.deployment == model]
        rows.append(
            {
                "model": model,
                "parameters": work.study.models.get(model),
                "runs": len(own),
                "steps": sum(r.steps for r in own),
                "train": sum(r.seconds.get("train", 0) for r in own),
                "evaluate": sum(r.seconds.get("evaluate", 0) for r in own),
            }
        )
    return rows


def scorings(work: Work) -> list[dict[str, Any]]:
    """What scoring the pool took, by who scored."""
    rows = []
    for column in dict.fromkeys(s.column for s in work.scorings):
        own = [s for s in work.scorings if s.column == column]
        images, seconds = sum(s.images for s in own), sum(s.seconds for s in own)
        label = work.study.label(column)
        rows.append({"label": label, "passes": len(own), "images": images, "seconds": seconds})
    return rows


def environments(work: Work) -> list[tuple[dict[str, Any], int]]:
    """The distinct environments of the runs, the most frequent first, with their counts."""
    seen = Counter(runs.canonical(r.environment) for r in work.results.values())
    first = {runs.canonical(r.environment): r.environment for r in work.results.values()}
    return [(first[key], count) for key, count in sorted(seen.items(), key=lambda e: (-e[1], e[0]))]


def provenance(work: Work, table: Table) -> list[tuple[str, list[dict[str, Any]]]]:
    """For each deployment the runs behind its row, and the records that these were trained on."""

    def origin(column: Column, result: Result) -> dict[str, Any]:
        selection = column.selection(result.seed)
        record = work.records.get(selection)
        label = work.study.label(column)
        return {"label": label, "result": result, "selection": selection, "record": record}

    return [
        (
            row[0].deployment,
            [origin(cell.column, work.results[run]) for cell in row for run in cell.runs],
        )
        for row in table.rows
    ]
