"""Work folders of a finished study with a file damaged, emptied, swapped, removed or rewritten."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from salx.infra import sealed
from tests.fuzz import odd
from tests.fuzz.case import ANY, GOOD, Case, Ground, select
from tests.fuzz.materials import STUDY

WORK = "work/run/w"  # below the case's folder
RUN = "w/deployments/a.on.a.entropy.s0.c01"
# What is put in the place of a value in a file whose digest is then right again.
VALUES: tuple[Any, ...] = (None, 3, -1, 1e308, "x", "", [], {}, [[]], True, "../../x", 10**30)
# What the commands read; a study reads all.
RECORDS = ("selections/*/cycle_*.jsonl", "selections/*/cycle_*.json", "selections/*/*.npz")
RESULTS = ("deployments/*/result.json", "deployments/*/config.json")
SAVED = tuple(f"{RUN[2:]}/checkpoint/*/{name}" for name in ("*", "meta/*", "state/*", "state/d/*"))
GROUPS = {
    "report": ("study.json", "study.json", *RESULTS, *RECORDS),
    "surrogate": (f"{RUN[2:]}/config.json", f"{RUN[2:]}/result.json", *SAVED),
    "convert": (f"{RUN[2:]}/config.json", f"{RUN[2:]}/result.json", *SAVED),
    "plan": ("study.json",),
    "study": (
        *("study.json", "selections/*/config.json", "deployments/*/metrics.jsonl", "report/*"),
        *(*RESULTS, *RECORDS, *SAVED),
    ),
}
COMMANDS = ("report", "report", "surrogate", "surrogate", "convert", "plan", "study")


def make(ground: Ground) -> Case:
    """A command on a work folder with something wrong in it, or with nothing."""
    shutil.copytree(ground.materials.study, ground.cwd / "w", symlinks=True)
    command = ground.rng.choice(COMMANDS)
    if ground.is_good:
        case = _case(command, "good", GOOD)
        encoding = ground.rng.choice(("utf-8", "utf-8", "latin-1", "ascii"))
        return case if encoding == "utf-8" else replace(case, alone=True, encoding=encoding)
    kinds = (_damaged, _damaged, _rewritten, _rewritten, _swapped, _removed, _replaced)
    about, alone = ground.rng.choice(kinds)(ground, _file(ground, GROUPS[command]))
    return _case(command, about, ANY, alone)


def _case(command: str, about: str, codes: frozenset[int], alone: bool = False) -> Case:
    """What is done with the folder; a study, which may train again, is a process of its own."""
    about = f"{command}: {about}"
    study = ("study", f"--config={STUDY}", "--workdir=w")
    if command == "report":
        changes = (f"{WORK}/report", f"{WORK}/.lock")
        return Case(("report", "w"), about, codes, alone, changes, leaves=True)
    if command == "surrogate":
        words = select(f"--surrogate={RUN}", "--pool=digits", "--batch=256", policy="entropy")
        return Case(words, about, codes, alone)
    if command == "convert":
        return Case(("convert", RUN, "x.npz"), about, codes, alone)
    if command == "plan":
        return Case((*study, "--plan"), about, codes, alone=True)
    return Case(study, about, codes, True, (f"{WORK}/",), leaves=True)


def _file(ground: Ground, groups: Sequence[str]) -> Path:
    """Draw a file of the folder, first its kind."""
    folder, group = ground.cwd / "w", ground.rng.choice(groups)
    files = sorted(path for path in folder.glob(group) if path.is_file())
    files = [path for path in files if path.name != "commit_success.txt"]  # of no meaning
    return ground.rng.choice(files or [folder / "study.json"])


def _name(ground: Ground, path: Path) -> str:
    """A file's path below the work folder, without the run that it is of."""
    parts = path.relative_to(ground.cwd / "w").parts
    return "/".join((parts[0], *parts[2:])) if len(parts) > 2 else "/".join(parts)


def _damaged(ground: Ground, path: Path) -> tuple[str, bool]:
    kind, content = odd.spoiled(ground.rng, path.read_bytes())
    path.write_bytes(content)
    return f"{_name(ground, path)} {kind}", False


def _removed(ground: Ground, path: Path) -> tuple[str, bool]:
    path = ground.rng.choice((path, path, path.parent))
    if path == ground.cwd / "w":
        path = path / "study.json"
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return f"without {_name(ground, path)}", False


def _replaced(ground: Ground, path: Path) -> tuple[str, bool]:
    kind, may_block = odd.put(ground, str(path.relative_to(ground.cwd)))
    return f"{_name(ground, path)} is {kind}", may_block


def _swapped(ground: Ground, path: Path) -> tuple[str, bool]:
    """Another file of the same kind, from another run or cycle."""
    folder = ground.cwd / "w"
    others = sorted(each for each in folder.rglob(f"*{path.suffix}") if each.is_file())
    other = ground.rng.choice(others)
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)
    return f"{_name(ground, path)} and {_name(ground, other)} swapped", False


def _rewritten(ground: Ground, path: Path) -> tuple[str, bool]:
    """A field of a JSON file is missing or of another type, and the file's digest is right."""
    if path.suffix == ".jsonl" and path.name.startswith("cycle_"):
        return _rewritten_record(ground, path)
    if not _is_sealed(path):
        return _damaged(ground, path)
    value = json.loads(path.read_bytes())
    value.pop("digest_of_this")
    where = _change(ground, value)
    sealed.write_json(path, value)
    return f"{_name(ground, path)}, {where}, sealed", False


def _is_sealed(path: Path) -> bool:
    try:
        return "digest_of_this" in json.loads(path.read_bytes())
    except ValueError:
        return False


def _rewritten_record(ground: Ground, path: Path) -> tuple[str, bool]:
    head, *picks = [json.loads(line) for line in path.read_bytes().splitlines()]
    head.pop("digest")
    kind = ground.rng.choice(("header", "pick", "ids beyond the pool", "negative ids", "no picks"))
    where = kind
    if kind == "header":
        where = _change(ground, head)
    elif kind == "pick":
        where = _change(ground, ground.rng.choice(picks))
    elif kind == "no picks":
        picks = []
    else:
        picks[0]["id"] = 10**9 if kind == "ids beyond the pool" else -1
    body = b"".join(sealed.canonical(pick) + b"\n" for pick in picks)
    seal = sealed.digest(sealed.canonical(head), body)
    path.write_bytes(sealed.canonical({**head, "digest": seal}) + b"\n" + body)
    return f"{_name(ground, path)}, {where}, sealed", False


def _change(ground: Ground, value: dict[str, Any]) -> str:
    """Remove or change a field at any depth; return what was done."""
    rng, path = ground.rng, []
    while True:
        key = rng.choice(sorted(value))
        path.append(key)
        if not (isinstance(value[key], dict) and value[key] and rng.random() < 0.7):
            break
        value = value[key]
    if rng.random() < 0.4:
        del value[key]
        return f"without {'.'.join(path)}"
    value[key] = rng.choice(VALUES)
    return f"{'.'.join(path)}={value[key]!r}"
