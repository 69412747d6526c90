"""Reads what choosing left in the work folder: scores, picks, costs and pictures.

As with results: what is missing stays missing, what is damaged is an InputError that names it.
"""

import io
import itertools
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from salx import records
from salx.infra import sealed
from salx.infra.errors import InputError
from salx.records import Record
from salx.report.types import Column, Study

PNG = b"\x89PNG\r\n\x1a\n"
NOBODY = np.zeros(0, np.int64)
FIRST = 1  # the first scored cycle: every surrogate was trained on the same random examples


class Pass(NamedTuple):
    """One choice from the unlabelled pool: how many examples were scored, and how long it took.

    picked: {"classes": counts of labels or pixels by class among the picks, "pool_classes": the
    same of the whole pool, "near_duplicates": share of picks that nearly repeat another};
    empty where not recorded.
    """

    column: Column
    seed: int
    cycle: int
    images: int
    seconds: float
    picked: dict[str, Any]

    @property
    def source(self) -> str:
        return f"selections/{self.column.selection(self.seed)}/cycle_{self.cycle:02d}.json"


class Scores(NamedTuple):
    """Scores float32[n] of the examples `ids` int64[n], ascending, in the first scored cycle."""

    ids: np.ndarray
    values: np.ndarray


class Strip(NamedTuple):
    """A picture of a cycle's first picks, side by side."""

    column: Column
    seed: int
    cycle: int
    png: bytes

    @property
    def source(self) -> str:
        return f"selections/{self.column.selection(self.seed)}/strip_{self.cycle:02d}.png"


class Evidence(NamedTuple):
    """All that choosing left.

    scores, chosen: by who chose and seed; `chosen` is all that was, up to the reported cycle,
    but the random start that every selection of a seed shares. digests: each record's, by the
    selection's name and cycle.
    """

    passes: tuple[Pass, ...]
    scores: Mapping[tuple[Column, int], Scores]
    chosen: Mapping[tuple[Column, int], frozenset[int]]
    digests: Mapping[tuple[str, int], str]
    strips: tuple[Strip, ...]


def read(workdir: Path, study: Study) -> Evidence:
    """Raises InputError, naming the file, for what is damaged."""
    passes, scores, chosen, digests, strips = [], {}, {}, {}, []
    last = study.deploy_cycles[-1]
    for column in study.choosers:
        for seed in range(study.seeds):
            folder = workdir / "selections" / column.selection(seed)
            passes += [read_pass(p, column, seed) for p in sorted(folder.glob("cycle_*.json"))]
            if (path := folder / f"scores_{FIRST:02d}.npz").exists():
                scores[column, seed] = read_scores(path)
            records = read_records(folder, last)
            digests |= {(folder.name, c): r.header["digest"] for c, r in enumerate(records)}
            if len(records) == last + 1:
                picks = [record.ids for record in records[FIRST:]]
                chosen[column, seed] = frozenset(np.concatenate([NOBODY, *picks]).tolist())
        strips += read_strips(workdir, study, column)
    return Evidence(tuple(passes), scores, chosen, digests, tuple(strips))


def scores_source(column: Column, seed: int) -> str:
    return f"selections/{column.selection(seed)}/scores_{FIRST:02d}.npz"


def record_source(column: Column, seed: int, cycle: int) -> str:
    return f"selections/{column.selection(seed)}/cycle_{cycle:02d}.jsonl"


def read_pass(path: Path, column: Column, seed: int) -> Pass:
    value = sealed.read_json(path)
    try:
        return Pass(
            column, seed, value["cycle"], value["images"], value["seconds"],
            value.get("picked") or {},
        )  # fmt: skip
    except KeyError as error:
        raise InputError(f"{path}: has no field {error}") from error


def read_scores(path: Path) -> Scores:
    try:
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            return Scores(arrays["ids"], arrays["scores"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged: {error}") from error


def read_records(folder: Path, last: int) -> list[Record]:
    """The records of cycles 0 to `last`, or up to the first that is absent."""
    paths = (records.record_path(folder, cycle) for cycle in range(last + 1))
    return [records.read(path) for path in itertools.takewhile(lambda path: path.exists(), paths)]


def read_strips(workdir: Path, study: Study, column: Column) -> Iterator[Strip]:
    """The first and the last cycle's, of the first seed that has any."""
    for seed in range(study.seeds):
        folder = workdir / "selections" / column.selection(seed)
        paths = sorted(folder.glob("strip_[0-9][0-9].png"))
        for path in dict.fromkeys([*paths[:1], *paths[-1:]]):
            png = path.read_bytes()
            if not png.startswith(PNG):
                raise InputError(f"{path}: damaged: no PNG")
            yield Strip(column, seed, int(path.stem.removeprefix("strip_")), png)
        if paths:
            return
