"""The record of labels: what was chosen in each cycle, by whom, and from what.

A selection is a chain of immutable JSON-lines files, one a cycle. The first line of each is a
header; the others are the picks, best first. The header holds the digest of the file and of its
predecessor, so damage and mixed-up chains are detected when they are read.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Int64, Shaped

from salx import run_folder
from salx.infra import sealed, storage
from salx.infra.errors import InputError
from salx.infra.numbers import shown, whole

FORMAT = "salx.selection/1"
LARGEST = 2**63 - 1  # of an example's id
CHAINED = {"cycle": int, "parent": str | None, "data.fingerprint": str}  # of a chain's headers
SHARED = {"surrogate": None, "policy": "random", "options": {}}  # of every chain's first record


class Record(NamedTuple):
    """Hold the picks of one cycle, and the header that explains them.

    Attributes:
      header: who chose, how, from which data, after which record; in JSON's types.
      ids: the numbers of the picks in the pool, in order of rank.
    """

    header: dict[str, Any]
    ids: Int64[np.ndarray, " k"]


def budgets(pool: int, share: float, cycles: int) -> list[int]:
    """Count the labelled examples after each cycle c: round(pool * share * (c + 1) / cycles).

    Rounding the running total, not each step, makes ten steps of 2 % exactly 20 %.

    Args:
      pool: how many examples there are.
      share: the fraction of them that is labelled after the last cycle.
      cycles: how many cycles there are.

    Returns:
      One number for each cycle.
    """
    total = pool * Fraction(str(share))
    return [round(total * (cycle + 1) / cycles) for cycle in range(cycles)]


def record_path(folder: Path, cycle: int) -> Path:
    """Name the file of a cycle's record.

    Args:
      folder: the selection's folder.
      cycle: the cycle, counted from 0.

    Returns:
      `folder/cycle_CC.jsonl`.
    """
    return folder / f"cycle_{cycle:02d}.jsonl"


def written(score: Any) -> float | None:
    """Round a score to the fewest digits that give it back.

    Args:
      score: a number of Python or numpy.

    Returns:
      The number for JSON. Infinity, which JSON lacks, becomes None: it is the distance of
      Core-Set's first pick where nothing is labelled.
    """
    return float(str(score)) if np.isfinite(score) else None


def encode(
    header: dict[str, Any],
    ids: Int[np.ndarray, " k"],
    keys: Sequence[str],
    scores: Shaped[np.ndarray, " k"] | Sequence[float],
) -> bytes:
    """Encode a record as the bytes of its file.

    Args:
      header: what explains the picks, in JSON's types.
      ids: the numbers of the picks in the pool, best first.
      keys: the keys of the whole pool, by id.
      scores: one number for each pick, in the order of `ids`.

    Returns:
      The content of the file, with its digest in the header.
    """
    lines = [
        sealed.canonical({"id": int(i), "key": keys[i], "score": written(s), "rank": rank})
        for rank, (i, s) in enumerate(zip(ids, scores, strict=True))
    ]
    body = b"".join(line + b"\n" for line in lines)
    header = {"format": FORMAT, **header, "picked": len(lines)}
    whole = {**header, "digest": sealed.digest(sealed.canonical(header), body)}
    return sealed.canonical(whole) + b"\n" + body


def read(path: Path) -> Record:
    """Read and verify one record.

    Args:
      path: the record's file.

    Returns:
      The record.

    Raises:
      InputError: names the file, if it is damaged or of another format.
    """
    with sealed.reading(path):
        head, _, body = storage.read_file(path).partition(b"\n")
        header = json.loads(head)
        seal = header.pop("digest")
        sealed.check_seal(seal, sealed.canonical(header), body)
        picks = [json.loads(line) for line in body.splitlines()]
    if header.get("format") != FORMAT:
        raise InputError(f"{path}: format {header.get('format')!r}, but this is {FORMAT!r}")
    with sealed.using(path):
        ids = [whole("id", pick["id"], 0, LARGEST) for pick in picks]
    return Record({**header, "digest": seal}, np.array(ids, np.int64))


def recorded(folder: Path, cycles: int) -> int:
    """Count the cycles 0, 1, ... that have a record, up to the first that has none.

    Args:
      folder: the selection's folder.
      cycles: how many cycles to look for at most.

    Returns:
      The count.
    """
    there = (record_path(folder, cycle).exists() for cycle in range(cycles))
    return sum(itertools.takewhile(bool, there))


def read_chain(folder: Path, cycles: int, fingerprint: str) -> list[Record]:
    """Read the records of cycles 0, 1, ... up to `cycles` of them or the first that is absent.

    Args:
      folder: the selection's folder.
      cycles: how many records to read at most.
      fingerprint: the digest of the data that they must have been chosen from.

    Returns:
      The records in the order of their cycles.

    Raises:
      InputError: names the file of a record that is damaged, does not follow its predecessor,
        comes from other data, is another selection's than the folder's, or repeats a pick.
    """
    chain: list[Record] = []
    chosen: set[int] = set()
    config = run_folder.identity(folder) or {}
    maker = _maker(folder, config)
    for cycle in range(recorded(folder, cycles)):
        path = record_path(folder, cycle)
        record = read(path)
        sealed.require(path, record.header, CHAINED)
        parent = chain[-1].header["digest"] if chain else None
        if record.header["cycle"] != cycle or record.header["parent"] != parent:
            raise InputError(f"{path}: damaged: does not follow the record before it")
        if record.header["data"]["fingerprint"] != fingerprint:
            raise InputError(f"{path}: chosen from other data than this study's")
        if maker:
            _check_maker(path, record.header, maker if cycle else {**maker, **SHARED})
        if len(chosen | set(record.ids.tolist())) != len(chosen) + len(record.ids):
            raise InputError(f"{path}: damaged: an example is picked twice")
        chosen.update(record.ids.tolist())
        _check_budget(path, record.header, config, len(chosen))
        chain.append(record)
    return chain


def _maker(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the headers of a selection's records must say of who chose.

    The folder's name says it, and of the policy behind the label its config.json. Raises InputError
    where these are of different selections.
    """
    chooser = run_folder.chooser_of(folder.name)
    if chooser is None:
        return {}
    surrogate, policy, seed = chooser
    if config.get("policy", policy) != policy or config.get("seed", seed) != seed:
        raise InputError(f"{folder / 'config.json'}: is of another selection than {folder.name}")
    maker = {"surrogate": surrogate, "policy": config.get("policy_name", policy), "seed": seed}
    return {**maker, **({"options": config["options"]} if "options" in config else {})}


def _check_maker(path: Path, header: Mapping[str, Any], maker: Mapping[str, Any]) -> None:
    """Raise InputError for a record that another selection made."""
    for name, value in maker.items():
        if header.get(name) != value:
            why = f"{name} {shown(header.get(name))} is not the folder's, {shown(value)}"
            raise InputError(f"{path}: is of another selection: {why}")


def _check_budget(
    path: Path, header: Mapping[str, Any], config: Mapping[str, Any], count: int
) -> None:
    """Raise InputError unless so many examples are labelled as the folder's config.json says."""
    with sealed.using(path):
        if "budget" in config and "size" in header["data"]:
            steps = budgets(header["data"]["size"], config["budget"], config["cycles"])
            if count != steps[header["cycle"]]:
                why = f"{count} examples are labelled after it, not {steps[header['cycle']]}"
                raise InputError(f"{path}: is of another selection: {why}")


def labelled(chain: Sequence[Record]) -> Int64[np.ndarray, " n"]:
    """Collect all ids that a chain has chosen.

    Args:
      chain: records of one selection, none of which repeats a pick.

    Returns:
      The ids in ascending order.
    """
    return np.sort(np.concatenate([record.ids for record in chain] or [np.zeros(0, np.int64)]))
