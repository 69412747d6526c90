"""Choice of the images of anybody's folder, and the lines that say what is left out."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from salx.data import heic, layouts
from salx.data.image_files import Sizes
from salx.data.walk import IMAGES, Walk

# The endings of images in anybody's folders: what opencv decodes, and HEIC.
READABLE = (
    *IMAGES,
    *(".jpe", ".jfif", ".dib", ".tif", ".tiff", ".gif", ".avif", ".jp2", ".j2k"),
    *(".ppm", ".pgm", ".pbm", ".pnm", *heic.ENDINGS),
)


@dataclass(frozen=True)
class Inventory:
    """Hold which image files of a folder are taken, and which are left out.

    Attributes:
      taken: the images that are taken, with their sizes in bytes.
      masks: the masks that are left out, {name: the folder that it is a mask in}.
      copies: the copies that are left out, {name: the folder of copies}.
    """

    taken: Sizes
    masks: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)


def of_pool(root: Path, sizes: Sizes) -> Inventory:
    """Choose the images of a pool from the image files below a folder.

    Args:
      root: the folder.
      sizes: the files, sorted by name, with their sizes in bytes.

    Returns:
      What is taken; masks and copies of an earlier selection are left out.
    """
    masks = layouts.masks(sizes)
    images = {name: size for name, size in sizes.items() if name not in masks}
    copies = layouts.copies(root, images)
    taken = {name: size for name, size in images.items() if name not in copies}
    return Inventory(taken, masks, copies)


def summary(keys: Sequence[str], walk: Walk, inventory: Inventory) -> str:
    """Say in a line what is taken and what is left out.

    Args:
      keys: the names of the images that are taken.
      walk: the walk that listed the folder.
      inventory: what was chosen of the files that it listed.

    Returns:
      The line; "" where nothing is left out.
    """
    sorts = {
        "masks": Counter(inventory.masks.values()),
        "copies of an earlier selection": Counter(inventory.copies.values()),
        "files of the system": walk.in_systems,
    }
    phrases = [
        f"{counts.total():,} {what} in {_first([folder or '.' for folder, _ in _ranked(counts)])}"
        for what, counts in sorts.items()
        if counts.total()
    ]
    phrases += [_kinds(walk.others)] if walk.others else []
    if not phrases:
        return ""
    line = f"takes {len(keys):,} images ({_kinds(_endings(keys))}), leaves out {'; '.join(phrases)}"
    named = inventory.masks or inventory.copies
    return line + ("; labels='all' takes every image" if named else "")


def faults(walk: Walk) -> str:
    """Say in a line which files and folders are left out because they cannot be used.

    Args:
      walk: the walk that listed the folder.

    Returns:
      The line; "" where there are none.
    """
    if not walk.faults:
        return ""
    return f"{len(walk.faults):,} files or folders are left out: {_first(walk.faults, 20, '; ')}"


def _endings(names: Iterable[str]) -> Counter[str]:
    """Count files by their endings, in lower case."""
    return Counter(os.path.splitext(name)[1].lower() for name in names)


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """Sort the counts, the most frequent first, equal ones by name."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _kinds(counts: Counter[str]) -> str:
    """Write how many files there are of each kind, as in `1,200 .jpg, 3 .png`."""
    return _first([f"{count:,} {kind or 'without ending'}" for kind, count in _ranked(counts)], 8)


def _first(words: Sequence[str], most: int = 4, between: str = ", ") -> str:
    """Join the first of some words, and say how many more there are."""
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return between.join(words[:most]) + more
