"""Read what choosing left in the work folder: scores, picks, costs and pictures.

As with results: what is missing stays missing, what is damaged is an InputError that names it.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from salx import records
from salx.infra import sealed, storage
from salx.infra.errors import InputError
from salx.report.load.types import Column, StudyFacts

PNG = b"\x89PNG\r\n\x1a\n"
NOBODY = np.zeros(0, np.int64)
FIRST = 1  # the first scored cycle: every surrogate was trained on the same random examples


@dataclass(frozen=True)
class PickStatistics:
    """Say what was picked in one cycle; () and None are what was not recorded.

    Attributes:
      classes: labels, or pixels, of each class among the picks.
      pool_classes: the same of the whole pool.
      near_duplicates: the share of the picks that nearly repeat another.
    """

    classes: tuple[int, ...] = ()
    pool_classes: tuple[int, ...] = ()
    near_duplicates: float | None = None


@dataclass(frozen=True)
class Pass:
    """Hold one choice from the unlabelled pool.

    Attributes:
      column: who chose.
      seed: the selection's.
      cycle: counted from 0.
      images: how many examples were scored.
      seconds: how long that took.
      picked: what the picks are like.
      filled: how many of the picks are random, because the policy returned fewer than asked.
      reason: why it did.
    """

    column: Column
    seed: int
    cycle: int
    images: int
    seconds: float
    picked: PickStatistics = PickStatistics()
    filled: int = 0
    reason: str = ""

    @property
    def source(self) -> str:
        """Name the file, from the work folder."""
        return f"selections/{self.column.selection(self.seed)}/cycle_{self.cycle:02d}.json"


@dataclass(frozen=True, eq=False)
class Scores:
    """Hold the scores of the first scored cycle.

    Attributes:
      ids: the examples, ascending.
      values: their scores.
    """

    ids: Int64[np.ndarray, " n"]
    values: Float32[np.ndarray, " n"]


@dataclass(frozen=True)
class Strip:
    """Hold a picture of a cycle's first picks, side by side.

    Attributes:
      column: who chose.
      seed: the selection's.
      cycle: counted from 0.
      picks: the number of picks of the cycle, which may be more than are shown.
      png: the content of the file.
    """

    column: Column
    seed: int
    cycle: int
    picks: int
    png: bytes

    @property
    def source(self) -> str:
        """Name the file, from the work folder."""
        return f"selections/{self.column.selection(self.seed)}/strip_{self.cycle:02d}.png"


@dataclass(frozen=True)
class SelectionFacts:
    """Hold all that choosing left.

    Attributes:
      passes: every choice.
      scores: by who chose and seed.
      chosen: ids by who chose and seed, up to the reported cycle, without the random start that
        every selection of a seed shares.
      digests: of each record, by the selection's name and cycle.
      strips: pictures of picks.
    """

    passes: tuple[Pass, ...]
    scores: Mapping[tuple[Column, int], Scores]
    chosen: Mapping[tuple[Column, int], frozenset[int]]
    digests: Mapping[tuple[str, int], str]
    strips: tuple[Strip, ...]


def read(workdir: Path, study: StudyFacts) -> SelectionFacts:
    """Read the selections of a study.

    Args:
      workdir: the study's.
      study: what the study is.

    Returns:
      What is there.

    Raises:
      InputError: naming the file, for what is damaged.
    """
    passes, scores, chosen, digests, strips = [], {}, {}, {}, []
    last = study.deploy_cycles[-1]
    for column in study.choosers:
        for seed in range(study.seeds):
            folder = workdir / "selections" / column.selection(seed)
            passes += [read_pass(p, column, seed) for p in sorted(folder.glob("cycle_*.json"))]
            if (path := folder / f"scores_{FIRST:02d}.npz").exists():
                scores[column, seed] = read_scores(path)
            chain = records.read_chain(folder, last + 1, study.dataset.fingerprint)
            digests |= {(folder.name, c): r.header["digest"] for c, r in enumerate(chain)}
            if len(chain) == last + 1:
                picks = [record.ids for record in chain[FIRST:]]
                chosen[column, seed] = frozenset(np.concatenate([NOBODY, *picks]).tolist())
        strips += read_strips(workdir, study, column)
    return SelectionFacts(tuple(passes), scores, chosen, digests, tuple(strips))


def scores_source(column: Column, seed: int) -> str:
    """Name the file of a column's first scores.

    Args:
      column: who chose.
      seed: the selection's.

    Returns:
      The path from the work folder.
    """
    return f"selections/{column.selection(seed)}/scores_{FIRST:02d}.npz"


def record_source(column: Column, seed: int, cycle: int) -> str:
    """Name the file of a column's record of a cycle.

    Args:
      column: who chose.
      seed: the selection's.
      cycle: counted from 0.

    Returns:
      The path from the work folder.
    """
    return f"selections/{column.selection(seed)}/cycle_{cycle:02d}.jsonl"


def read_pass(path: Path, column: Column, seed: int) -> Pass:
    """Read a cycle_CC.json.

    Args:
      path: the file.
      column: who chose.
      seed: the selection's.

    Returns:
      The choice that it tells of.

    Raises:
      InputError: naming the file, if it is damaged or lacks a field.
    """
    value = sealed.read_json(path, {"cycle": int, "images": int, "seconds": float})
    with sealed.using(path):
        return Pass(
            column, seed, value["cycle"], value["images"], value["seconds"],
            pick_statistics(value.get("picked") or {}),
            value.get("filled") or 0, value.get("reason") or "",
        )  # fmt: skip


def pick_statistics(value: Mapping[str, Any]) -> PickStatistics:
    """Take what a cycle_CC.json says of the picks.

    Args:
      value: its field `picked`.

    Returns:
      The same, typed.
    """
    return PickStatistics(
        classes=tuple(value.get("classes") or ()),
        pool_classes=tuple(value.get("pool_classes") or ()),
        near_duplicates=value.get("near_duplicates"),
    )


def read_scores(path: Path) -> Scores:
    """Read a scores_CC.npz.

    Args:
      path: the file.

    Returns:
      The scores.

    Raises:
      InputError: naming the file, if it is damaged.
    """
    try:
        with np.load(io.BytesIO(storage.read_file(path))) as arrays:
            ids, values = arrays["ids"], arrays["scores"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged: {error}") from error
    if (ids.dtype, values.dtype, ids.shape) != (np.int64, np.float32, (values.size,)):
        raise InputError(f"{path}: damaged: ids and scores must be int64[n] and float32[n]")
    return Scores(ids, values)


def read_strips(workdir: Path, study: StudyFacts, column: Column) -> Iterator[Strip]:
    """Read the first and the last cycle's strip, of the first seed that has any.

    Args:
      workdir: the study's.
      study: what the study is.
      column: who chose.

    Yields:
      The strips.

    Raises:
      InputError: naming the file, for what is no PNG.
    """
    for seed in range(study.seeds):
        folder = workdir / "selections" / column.selection(seed)
        paths = sorted(folder.glob("strip_[0-9][0-9].png"))
        for path in dict.fromkeys([*paths[:1], *paths[-1:]]):
            png = storage.read_file(path)
            if not png.startswith(PNG):
                raise InputError(f"{path}: damaged: no PNG")
            cycle = int(path.stem.removeprefix("strip_"))
            yield Strip(column, seed, cycle, picks(study, cycle), png)
        if paths:
            return


def picks(study: StudyFacts, cycle: int) -> int:
    """Count the examples that are chosen in a cycle.

    Args:
      study: what the study is.
      cycle: counted from 0.

    Returns:
      How many; 0 where the study has no such cycle.
    """
    if cycle >= len(study.budgets):
        return 0
    return study.budgets[cycle] - (study.budgets[cycle - 1] if cycle else 0)
