"""The record of labels: what was chosen in each cycle, by whom, and from what.

A selection is a chain of immutable JSON-lines files, one a cycle. The first line of each is a
header; the others are the picks, best first. The header holds the digest of the file and of
its predecessor, so damage and mixed-up chains are found when they are read.
"""

import itertools
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from salx.infra import sealed
from salx.infra.errors import InputError

FORMAT = "salx.selection/1"


class Record(NamedTuple):
    """One cycle's picks: ids int64[k] in order of rank, and the header that explains them."""

    header: dict[str, Any]
    ids: np.ndarray


def budgets(pool: int, share: float, cycles: int) -> list[int]:
    """How many examples are labelled after each cycle: round(pool * share * (c + 1) / cycles).

    Rounding the running total, not each step, makes ten steps of 2 % exactly 20 %.
    """
    total = pool * Fraction(str(share))
    return [round(total * (cycle + 1) / cycles) for cycle in range(cycles)]


def record_path(folder: Path, cycle: int) -> Path:
    return folder / f"cycle_{cycle:02d}.jsonl"


def written(score: Any) -> float | None:
    """A score with the fewest digits that give it back; None for infinity, which JSON lacks:
    the distance of Core-Set's first pick where nothing is labelled."""
    return float(str(score)) if np.isfinite(score) else None


def encode(header: dict[str, Any], ids: np.ndarray, keys: Sequence[str], scores) -> bytes:
    """A record's bytes."""
    lines = [
        sealed.canonical({"id": int(i), "key": keys[i], "score": written(s), "rank": rank})
        for rank, (i, s) in enumerate(zip(ids, scores, strict=True))
    ]
    body = b"".join(line + b"\n" for line in lines)
    header = {"format": FORMAT, **header, "picked": len(lines)}
    whole = {**header, "digest": sealed.digest(sealed.canonical(header), body)}
    return sealed.canonical(whole) + b"\n" + body


def read(path: Path) -> Record:
    """Reads and verifies one record. Raises InputError naming the file if it is damaged."""
    with sealed.reading(path):
        head, _, body = path.read_bytes().partition(b"\n")
        header = json.loads(head)
        seal = header.pop("digest")
        sealed.check_seal(seal, sealed.canonical(header), body)
        ids = np.array([json.loads(line)["id"] for line in body.splitlines()], np.int64)
    if header["format"] != FORMAT:
        raise InputError(f"{path}: format {header['format']!r}, but this is {FORMAT!r}")
    return Record({**header, "digest": seal}, ids)


def recorded(folder: Path, cycles: int) -> int:
    """How many of the cycles 0, 1, ... have a record, up to the first that has none."""
    there = (record_path(folder, cycle).exists() for cycle in range(cycles))
    return sum(itertools.takewhile(bool, there))


def read_chain(folder: Path, cycles: int, fingerprint: str) -> list[Record]:
    """The records of cycles 0, 1, ... up to `cycles` of them or the first that is absent.

    Raises InputError, naming the file, for a record that is damaged, does not follow its
    predecessor, comes from other data, or repeats a pick.
    """
    chain: list[Record] = []
    seen: set[int] = set()
    for cycle in range(recorded(folder, cycles)):
        path = record_path(folder, cycle)
        record = read(path)
        parent = chain[-1].header["digest"] if chain else None
        if record.header["cycle"] != cycle or record.header["parent"] != parent:
            raise InputError(f"{path}: damaged: does not follow the record before it")
        if record.header["data"]["fingerprint"] != fingerprint:
            raise InputError(f"{path}: chosen from other data than this study's")
        if len(seen | set(record.ids.tolist())) != len(seen) + len(record.ids):
            raise InputError(f"{path}: damaged: an example is picked twice")
        seen.update(record.ids.tolist())
        chain.append(record)
    return chain


def labelled(chain: Sequence[Record]) -> np.ndarray:
    """All ids that a chain has chosen, int64, ascending."""
    return np.sort(np.concatenate([record.ids for record in chain] or [np.zeros(0, np.int64)]))
