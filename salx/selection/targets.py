"""The files that a selection leaves, by the flag that names each, and whether they may be written.

Those of the same question may be there already, and stay as they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salx import records
from salx.infra import paths, sealed
from salx.infra.errors import InputError
from salx.infra.outputs import Guard, refused
from salx.scoring import saved_pass
from salx.selection import labelling
from salx.selection.exports import FIFTYONE

FOLDERS = ("fiftyone", "copy")
QUESTION = "question.json"  # what is being answered, once files beside the record may be there


@dataclass(frozen=True)
class Targets:
    """Hold what one selection leaves.

    Attributes:
      paths: {"out": the record, "csv": ..., ...} by flag, at least the record.
    """

    paths: Mapping[str, Path]

    @property
    def out(self) -> Path:
        """Return the path of the record."""
        return self.paths["out"]

    @property
    def resume(self) -> Path:
        """Return the folder that keeps a long pass, until the record is there."""
        return self.out.with_name(f".{self.out.name}.pass")

    def files(self) -> list[tuple[str, Path]]:
        """List the files whose names are settled before anything is chosen, the record first.

        Returns:
          (flag, path) of each; copies are not among them.
        """
        some = [(flag, path) for flag, path in self.paths.items() if flag not in FOLDERS]
        if tasks := self.paths.get("label_studio"):
            some.append(("label_studio", labelling.path_of(tasks)))
        folder = self.paths.get("fiftyone")
        return some + ([("fiftyone", folder / name) for name in FIFTYONE] if folder else [])

    def earlier(self) -> dict[str, Any] | None:
        """Read which question was answered here, or is being answered.

        Returns:
          The fields of its identity; None where nobody can tell.
        """
        try:
            if self.out.exists():
                return records.read(self.out).header
            return sealed.read_if_there(self.resume / QUESTION)
        except (InputError, OSError):  # another file, or a damaged one
            return None

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Note the question, before files that go with the record are written.

        Args:
          identity: the fields that say it, as of salx.selection.select.identity.
        """
        sealed.write_json(self.resume / QUESTION, identity)

    def end(self) -> None:
        """Remove what was kept for the case of an interruption."""
        saved_pass.clear(self.resume, QUESTION)


def numbered(named: Mapping[str, Path], count: int) -> list[Targets]:
    """Name the files of each of several selections: `picks.2.jsonl`, `copies.2`.

    Args:
      named: the paths that the user gave, by flag.
      count: how many selections there are; the files of a single one are named as the user says.

    Returns:
      Of each selection its files.
    """
    if count == 1:
        return [Targets(named)]
    return [
        Targets({flag: _numbered(flag, path, number + 1) for flag, path in named.items()})
        for number in range(count)
    ]


def _numbered(flag: str, path: Path, number: int) -> Path:
    if flag in FOLDERS:
        return path.with_name(f"{path.name}.{number}")
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def comparison(out: Path) -> Path:
    """Name the comparison of several selections.

    Args:
      out: the record's path, as the user gave it.

    Returns:
      picks.compare.json for picks.jsonl.
    """
    return out.with_suffix(".compare.json")


def mark(path: Path) -> str | None:
    """Read which questions a comparison is of.

    Args:
      path: of the comparison.

    Returns:
      The digest of the questions; None where nobody can tell.
    """
    try:
        return (sealed.read_if_there(path) or {}).get("question")
    except (InputError, OSError):
        return None


def check(every: Sequence[Targets], guard: Guard) -> None:
    """Check where all files will lie, and that no two are one.

    Args:
      every: the files of each selection.
      guard: what they must spare.

    Raises:
      ArgumentError: naming the flag.
    """
    taken: dict[Path, str] = {}
    for targets in every:
        paths.local(targets.resume, "out")
        guard.check("out", targets.resume, folder=True)
        for flag, path in targets.paths.items():
            real = guard.check(flag, paths.local(path, flag), flag in FOLDERS)
            if real in taken:
                raise refused(flag, path, f"is {{.{taken[real]}}} already")
            taken[real] = flag
        for flag, path in targets.files():
            other = taken.setdefault(guard.check(flag, path), flag)
            if other != flag:
                raise refused(flag, path, f"is {{.{other}}} already")
    for real, flag in taken.items():
        file = next(
            (above for above in real.parents if taken.get(above, "copy") not in FOLDERS), None
        )
        if file:
            raise refused(flag, real, f"lies in {{.{taken[file]}}}, which is a file")
    if len(every) > 1:
        guard.check("out", comparison(every[0].out))


def check_free(targets: Targets, guard: Guard, identity: Mapping[str, Any] | None) -> bool:
    """Check that no file is there, unless it may be replaced, or is of the same question.

    Args:
      targets: what will be written.
      guard: what says whether files may be replaced.
      identity: the question, as its record's header will have it; None while it is not known.

    Returns:
      Whether the record answers the question already.

    Raises:
      ArgumentError: naming the flag of a file that is there.
    """
    before = None if guard.overwrite else targets.earlier()
    if before is None:
        for flag, path in targets.files():
            guard.free(flag, path)
        return False
    if identity is None:
        return False
    changed = _differing(before, identity)
    for flag, path in targets.files():
        if changed and path.exists():
            why = f"answers another question (other: {', '.join(changed)})"
            raise guard.taken(flag, path, why if flag == "out" else "is there already")
    return targets.out.exists()


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The fields in which two questions differ."""
    plain = json.loads(sealed.canonical(now))
    old, new = (sealed.flatten({key: of.get(key) for key in now}) for of in (before, plain))
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
