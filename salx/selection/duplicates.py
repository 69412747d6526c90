"""Picks that are there twice: the same file, or nearly the same picture, under two keys.

A policy scores each image alone, so of two equal ones it picks both, and both are paid for.
Nothing is left out; whoever is to pay is told.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Int16, Int64, UInt8

from salx.data import opencv
from salx.data.decoding import coloured
from salx.infra.paths import printable
from salx.selection.pool import Pool

NEAR = 3  # of 64 bits that may differ where two pictures are nearly the same
SHADE = 16  # of 255 by which the mean of a colour may differ; plain pictures have no other mark
BLOCK = 2**22  # pairs that are compared at once


@dataclass(frozen=True)
class Duplicates:
    """Count the picks that repeat another pick, or an image that is labelled.

    Attributes:
      same: picks with the same bytes as another image that is picked or labelled.
      near: other picks that look nearly the same as one.
      pair: the keys of a pick and of such an image; empty where there is none.
    """

    same: int = 0
    near: int = 0
    pair: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Tell the counts, with one pair as an example.

        Returns:
          One line, "" where there are none.
        """
        if not self.pair:
            return ""
        counts = [f"{self.same} of the picks have the same bytes"] if self.same else []
        if self.near:
            more = "more" if self.same else "of the picks"
            counts.append(f"{self.near} {more} look nearly the same")
        pick, other = map(printable, self.pair)
        return (
            f"{' and '.join(counts)} as another that is picked or labelled, such as {pick} and "
            f"{other}; none is left out"
        )


class _Print(NamedTuple):
    """What is compared of an image: its bytes' digest, the bits of its looks, its mean colour."""

    digest: bytes
    looks: np.uint64
    colour: Int16[np.ndarray, " rgb"]


def find_duplicates(
    pool: Pool, picks: Int64[np.ndarray, " k"], labelled: Int64[np.ndarray, " n"]
) -> Duplicates:
    """Compare the picks with each other and with what is labelled. It reads these images alone.

    Args:
      pool: the images.
      picks: ids, best first.
      labelled: ids; an image of them that cannot be read is like no other.

    Returns:
      How many picks repeat another image.
    """
    opencv.prepare()
    ids = [int(id_) for id_ in (*picks, *labelled)]
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        prints = list(readers.map(lambda id_: _print(pool, id_), ids))
    sound = [number for number, each in enumerate(prints) if each]
    sound_prints = [each for each in prints if each]
    count = sum(number < len(picks) for number in sound)
    same, near = _same(sound_prints, count), _near(sound_prints, count)
    pairs = [*same.items(), *near.items()]
    keys = tuple(pool.keys[ids[sound[number]]] for number in pairs[0]) if pairs else ()
    return Duplicates(len(same), len(near.keys() - same.keys()), keys)


def _print(pool: Pool, id_: int) -> _Print | None:
    """The print of an image; None for one that cannot be read."""
    try:
        image = np.asarray(pool.dataset.pool[id_]["image"])
        content = (pool.root / pool.keys[id_]).read_bytes() if pool.root else image.tobytes()
    except Exception:  # whatever a data set's reader raises; the pass has named it already
        return None
    image = np.ascontiguousarray(coloured(image))
    mean = image.mean((0, 1)).astype(np.int16)
    return _Print(hashlib.sha256(content).digest(), difference_hash(image), mean)


def difference_hash(image: UInt8[np.ndarray, "height width rgb"]) -> np.uint64:
    """Say of 8x8 fields of a picture whether the next to the right is brighter, a bit each.

    It hardly changes with size, compression and brightness.
    Source: https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html

    Args:
      image: a picture in RGB.

    Returns:
      The 64 bits.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    fields = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    return np.packbits(fields[:, 1:] > fields[:, :-1]).view(np.uint64)[0]


def _same(prints: Sequence[_Print], picks: int) -> dict[int, int]:
    """Of each of the first `picks` images that has the bytes of another: which other."""
    first: dict[bytes, int] = {}
    pairs: dict[int, int] = {}
    for number, each in enumerate(prints):
        other = first.setdefault(each.digest, number)
        if other != number and other < picks:
            pairs.setdefault(other, number)
            if number < picks:
                pairs[number] = other
    return pairs


def _near(prints: Sequence[_Print], picks: int) -> dict[int, int]:
    """Of each of the first `picks` images that looks nearly the same as another: which other."""
    looks = np.array([each.looks for each in prints], np.uint64)
    colours = np.array([each.colour for each in prints], np.int16)
    pairs: dict[int, int] = {}
    rows = max(1, BLOCK // max(1, len(looks)))
    for start in range(0, picks, rows):
        block = looks[start : min(start + rows, picks)]
        alike = np.bitwise_count(block[:, None] ^ looks[None]) <= NEAR
        itself = np.arange(len(block))
        alike[itself, start + itself] = False
        for row in np.flatnonzero(alike.any(1)).tolist():
            others = np.flatnonzero(alike[row])
            shades = np.abs(colours[others] - colours[start + row]).max(1)
            if shades.min() <= SHADE:
                pairs[start + row] = int(others[shades.argmin()])
    return pairs
