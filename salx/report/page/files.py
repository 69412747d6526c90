"""Write W/report/: one page that needs nothing else, and its tables and figures as files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from salx.infra import sealed, storage, version
from salx.infra.errors import InputError
from salx.report.analysis import grids
from salx.report.load import results, selections
from salx.report.page import html
from salx.report.page.compose import compose
from salx.report.sections import section
from salx.report.sections.blocks import Material
from salx.report.sections.section import Section

# What the report depends on. Scores are as large as the pool; the cycles' files stand for them.
INPUTS = (
    "study.json", "deployments/*/result.json", "selections/*/cycle_*.json*",
    "selections/*/strip_*.png", "deployments/*/config.json", "selections/*/config.json",
)  # fmt: skip
PACKAGE = Path(__file__).parent.parent
TEMPLATES = (".j2", ".css", ".json")


def write(workdir: Path, more: Sequence[str] = ()) -> Path:
    """Write the report of a work folder, unless it is already there.

    Args:
      workdir: the study's.
      more: sections besides those that are registered or that packages bring.

    Returns:
      The page's path.

    Raises:
      InputError: naming what cannot be read, what is in the way, or the section that fails.
    """
    folder = workdir / "report"
    check(folder)
    kinds = section.find(more)
    stamp, inputs = folder / "made_from.json", made_from(workdir, kinds)
    if not is_current(stamp, inputs):
        files = render(load(workdir), kinds)
        for name, content in files.items():
            storage.write_file(folder / name, content)
        digests = {name: sealed.digest(content) for name, content in files.items()}
        sealed.write_json(stamp, {"inputs": inputs, "files": digests})
    return folder / "index.html"


def load(workdir: Path) -> Material:
    """Load all that the sections may show.

    Args:
      workdir: the study's.

    Returns:
      The study, its results, what choosing left, and the pairs at the last budget.

    Raises:
      InputError: naming the file, if the folder is none or a file is damaged.
    """
    work = results.read(workdir)
    return Material(work, selections.read(workdir, work.study), grids.build(work))


def check(folder: Path) -> None:
    """Check that a report can be written into a folder, and into no other's.

    Args:
      folder: W/report.

    Raises:
      InputError: naming what is in the way.
    """
    for path in (folder, folder / "tables", folder / "figures"):
        if storage.in_bucket(path):
            return
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            kind = "a link" if path.is_symlink() else "no folder"
            raise InputError(f"{path}: is {kind}, and the report is written there; rename it")
        storage.sweep(path)


def made_from(workdir: Path, kinds: Mapping[str, type[Section]]) -> str:
    """Digest all that a report depends on, code, templates and sections from outside included.

    Args:
      workdir: the study's.
      kinds: the sections by name.

    Returns:
      `sha256:<hex>`.
    """
    templates = sorted(path for path in PACKAGE.rglob("*") if path.suffix in TEMPLATES)
    read = sorted(path for pattern in INPUTS for path in workdir.glob(pattern))
    names = [str(path.relative_to(PACKAGE)) for path in templates]
    names += [str(path.relative_to(workdir)) for path in read]
    contents = [
        content for name, path in zip(names, [*templates, *read], strict=True)
        for content in (name.encode(), storage.read_file(path))
    ]  # fmt: skip
    outside = sealed.canonical(section.origins(kinds))
    return sealed.digest(version.code_version().encode(), outside, *contents)


def is_current(stamp: Path, inputs: str) -> bool:
    """Tell whether the report that a stamp stands for was made from these inputs and is whole.

    Args:
      stamp: W/report/made_from.json.
      inputs: the digest of what a report depends on now.

    Returns:
      Whether it need not be drawn again.
    """
    try:
        made = sealed.read_json(stamp, {"inputs": str, "files": Mapping})
    except InputError:  # not there, or damaged: nothing is lost but the time to draw it again
        return False
    files = ((stamp.parent / name, digest) for name, digest in made["files"].items())
    return made["inputs"] == inputs and all(
        path.is_file() and sealed.digest(path.read_bytes()) == digest for path, digest in files
    )


def render(material: Material, kinds: Mapping[str, type[Section]]) -> dict[str, bytes]:
    """Render all of the report's files.

    Args:
      material: what the sections may show.
      kinds: the sections by name, in their order.

    Returns:
      Contents by name, from W/report/.

    Raises:
      InputError: naming the section from outside the package that fails.
    """
    sections = compose(material, kinds)
    files = {name: content for each in sections for name, content in each.made.files.items()}
    return files | {"index.html": html.page(material, sections).encode()}
