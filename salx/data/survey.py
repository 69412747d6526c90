"""A look at the headers of anybody's images: how each is turned, the size of all, what is odd."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from salx.data import headers
from salx.data.decoding import MIXED, Shape
from salx.data.headers import Header
from salx.data.image_files import ImageFiles, MaskedFiles
from salx.data.walk import EVERY
from salx.infra import progress
from salx.infra.errors import ArgumentError, unknown

ORIENTATIONS = ("auto", "apply", "ignore")
DEEP = (
    "images of 16 bits a channel, of which the upper 8 are seen (what fills only 12 comes out "
    "nearly black, and is picked for it: save it with 8 bits, scaled to the whole range)"
)
TINY = "images one pixel high or wide, which can be picked like any other"
TURNED = "images turned as their EXIF orientation says (orientation='ignore' leaves them as stored)"
MASKS = "masks turned with their images, as they have the size of the images as stored"
UNCLEAR = (
    "{path}: EXIF's orientation {turn} turns it, and the size of its mask does not tell whether "
    "the mask was drawn on the turned image: say {{name}}='apply' if it was, or 'ignore' if "
    "images and masks fit as they are stored"
)


class Survey(NamedTuple):
    """Hold what the headers of all images say.

    Attributes:
      sources: the sources, their images turned.
      shape: (H, W, 3) that all their images have as they are turned, or MIXED.
      odd: a line for each kind of what a user should know of some images.
    """

    sources: list[ImageFiles]
    shape: Shape
    odd: list[str]


def survey(name: str, sources: Sequence[ImageFiles], orientation: str) -> Survey:
    """Look at the headers of all files, and turn the images as their orientations say.

    Args:
      name: the data set's, for progress.
      sources: the files.
      orientation: "auto" turns images, and refuses where nothing tells whether a mask was drawn
        on the turned image; "apply" assumes that it was; "ignore" turns nothing.

    Returns:
      The turned sources, and what the headers say of them.

    Raises:
      ArgumentError: for an orientation that is none of these, and for such a mask.
    """
    if orientation not in ORIENTATIONS:
        raise unknown("{name}", str(orientation), ORIENTATIONS, "orientation")
    made: list[ImageFiles] = []
    shapes: set[tuple[int, int]] = set()
    odd: dict[str, list[str]] = {}
    for source in sources:
        looked = _read(name, source)
        if orientation == "ignore":
            looked = [header and header._replace(turn=1) for header in looked]
        made.append(_turned(source, looked, orientation))
        shapes |= {_shown(header) for header in set(looked) if header}
        for key, header in zip(source.keys, looked, strict=True):
            for what in _oddities(header) if header else ():
                odd.setdefault(what, []).append(key)
        if isinstance(made[-1], MaskedFiles) and made[-1].mask_turns is not None:
            moved = np.flatnonzero(made[-1].mask_turns != 1)
            odd.setdefault(MASKS, []).extend(made[-1].masks[index] for index in moved)
    shape = (*shapes.pop(), 3) if len(shapes) == 1 else MIXED
    return Survey(made, shape, [_line(what, keys) for what, keys in odd.items()])


def _read(name: str, source: ImageFiles) -> list[Header | None]:
    """Read the headers of a source's files, with progress."""
    looked: list[Header | None] = []
    root = str(source.root)
    same: dict[Header | None, Header | None] = {}  # most are equal: one object for all
    with progress.Count(f"looking at {name}") as count:
        for number, key in enumerate(source.keys, 1):
            header = headers.read(os.path.join(root, key))
            looked.append(same.setdefault(header, header))
            if not number % EVERY:
                count.add(EVERY)
    return looked


def _shown(header: Header) -> tuple[int, int]:
    """Give (height, width) of an image when it is turned."""
    return header[1::-1] if header.turn > 4 else header[:2]


def _turned(source: ImageFiles, looked: Sequence[Header | None], orientation: str) -> ImageFiles:
    """Turn a source's images, and with them the masks that were drawn on the images as stored.

    A mask that may have been drawn on either is an ArgumentError, if orientation is "auto".
    """
    turns = np.array([header.turn if header else 1 for header in looked], np.uint8)
    other = source.turned(turns)
    if not isinstance(other, MaskedFiles) or other.turns is None:
        return other
    mask_turns = np.ones_like(turns)
    for index in np.flatnonzero(turns != 1):
        header, mask = looked[index], headers.read(other.root / other.masks[index])
        assert header
        if _shown(header) == header[:2]:
            if orientation == "auto":
                path = other.root / other.keys[index]
                text = UNCLEAR.format(path=path, turn=header.turn)
                raise ArgumentError("orientation", text)
        elif mask and mask[:2] == header[:2]:
            mask_turns[index] = header.turn
    other.mask_turns = mask_turns if (mask_turns != 1).any() else None
    return other


def _oddities(header: Header) -> list[str]:
    """List what a user should know of an image; mostly nothing."""
    odd = [TINY] if min(header[:2]) == 1 else []
    odd += [DEEP] if header.bits > 8 else []
    return odd + ([TURNED] if header.turn != 1 else [])


def _line(what: str, keys: Sequence[str], most: int = 3) -> str:
    """Write a line such as `images ...: 5 (a.png, b.png, c.png and 2 more)`."""
    more = f" and {len(keys) - most:,} more" if len(keys) > most else ""
    return f"{what}: {len(keys):,} ({', '.join(keys[:most])}{more})"
