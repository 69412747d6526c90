"""Listing of data sets that lie in folders: where they are, what they hold, in which order."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from salx.data import hints
from salx.data.decoding import MIXED, Shape
from salx.data.image_files import ClassifiedFiles, MaskedFiles, Sizes
from salx.data.walk import IMAGES, UNFIT, Walk, lost, unfit
from salx.infra import paths
from salx.infra.errors import ArgumentError, InputError

MASKS = (".png",)


def locate(name: str, folder: str, layouts: Sequence[str], how: str) -> Path:
    """Find the folder of a set in the first of its layouts that is there.

    Args:
      name: the set's, for messages.
      folder: the option `dir`; "" where the user gave none.
      layouts: paths below `folder` that the set's training images may have, the first that is
        a folder wins; "" is the folder itself.
      how: a sentence that says how to get the set, for messages.

    Returns:
      The path of that layout.

    Raises:
      ArgumentError: naming `dir` and every path that was looked at, where none is there.
    """
    if not folder:
        raise ArgumentError("dir", f"data set {name}: {{name}} has to name its folder. {how}")
    root = paths.local(folder, "dir")
    for layout in layouts:
        if (root / layout).is_dir():
            return root / layout
    looked = ", ".join(str(root / layout) for layout in layouts)
    if archives := hints.packed(root):
        looked += f" ({archives[0]} lies in {root}, still packed)"
    raise ArgumentError("dir", f"data set {name} is not there; looked for {looked}. {how}")


def below(folder: Path, endings: Sequence[str] = IMAGES, walk: Walk | None = None) -> Sizes:
    """List the files of some kinds below a folder; links are followed, hidden files left out.

    Args:
      folder: the folder.
      endings: the endings of the files' names, in any case.
      walk: how the folder is walked, and where what is left out is noted; None is a plain `Walk`.

    Returns:
      The files' names below the folder with their sizes in bytes, in the order of the names'
      code points.

    Raises:
      InputError: unless the walk skips it, for a folder that is not there, a link to nothing,
        and a link to a folder that it lies in.
    """
    return (walk or Walk()).below(folder, endings)


def entries(folder: Path, walk: Walk | None = None) -> list[os.DirEntry]:
    """List what lies in a folder, without what is hidden and without folders of systems.

    Args:
      folder: the folder.
      walk: how the folder is walked, as in `below`; None is a plain `Walk`.

    Returns:
      The entries, sorted by name; every link among them leads somewhere.

    Raises:
      InputError: unless the walk skips it, for a folder that cannot be listed, a link to
        nothing, and a folder whose name cannot be part of a key.
    """
    walk = walk or Walk()
    listed = []
    for entry in sorted(walk.entries(folder), key=lambda entry: entry.name):
        if entry.is_symlink() and not os.path.exists(entry.path):
            walk.fault(lost(entry))
        elif UNFIT.search(entry.name) and entry.is_dir():
            walk.fault(unfit(entry.path))
        elif not (entry.name.lower() in walk.systems and entry.is_dir()):
            listed.append(entry)
    return listed


def stem(name: str, endings: Sequence[str]) -> str | None:
    """Cut the ending off a file's name.

    Args:
      name: the name.
      endings: the endings that it may have, in any case; the first that fits is cut off.

    Returns:
      The name without it, or None where it has none of them.
    """
    for ending in endings:
        if name.lower().endswith(ending.lower()):
            return name[: -len(ending)]
    return None


def prefix(split: str) -> str:
    """Give what the keys of a split's images begin with.

    Args:
      split: the name of the split's folder; "" for the set's folder itself.

    Returns:
      The folder with a "/", or "".
    """
    return f"{split}/" if split else ""


def class_names(folder: Path, walk: Walk | None = None) -> tuple[str, ...]:
    """List the classes of a folder with one folder for each class.

    Args:
      folder: the folder.
      walk: how the folder is walked, as in `below`; None is a plain `Walk`.

    Returns:
      The names of the folders in it, sorted.

    Raises:
      InputError: for a folder that holds no folders.
    """
    names = tuple(entry.name for entry in entries(folder, walk) if entry.is_dir())
    if not names:
        raise InputError(f"{folder}: holds no class folders")
    return names


def class_folders(
    root: Path,
    split: str,
    classes: Sequence[str],
    shape: Shape = MIXED,
    walk: Walk | None = None,
) -> ClassifiedFiles:
    """Make a source of the images below root/split/<class>, in the order of their names.

    Args:
      root: the set's folder.
      split: the split's folder in it; "" for root itself.
      classes: the names of the classes, by index; not every one needs a folder.
      shape: (H, W, 3) that all images have to have, or MIXED.
      walk: how the folders are walked, as in `below`, and the endings of images; None is a
        plain `Walk`.

    Returns:
      The source.

    Raises:
      InputError: for a folder that is no class's, one without images, and an image that lies
        in no class folder.
    """
    index = {name: number for number, name in enumerate(classes)}
    sizes: Sizes = {}
    labels: list[int] = []
    walk = walk or Walk()
    for entry in entries(root / split, walk):
        if not entry.is_dir():
            if stem(entry.name, walk.endings) is not None:
                raise InputError(f"{entry.path}: lies in no class folder, {root / split}/<class>")
            continue
        if entry.name not in index:
            raise InputError(f"{entry.path}: {entry.name!r} is no class of the set")
        images = below(Path(entry), walk.endings, walk)
        if not images:
            raise InputError(f"{entry.path}: holds no images ({', '.join(walk.endings)})")
        sizes |= {f"{prefix(split)}{entry.name}/{name}": size for name, size in images.items()}
        labels += [index[entry.name]] * len(images)
    return ClassifiedFiles(root, sizes, labels, shape)


def with_masks(
    root: Path,
    images: str,
    masks: str,
    map: UInt8[np.ndarray, "256"],
    endings: tuple[Sequence[str], Sequence[str]] = (IMAGES, MASKS),
    walk: Walk | None = None,
) -> MaskedFiles:
    """Pair root/images/**/<stem><ending> with root/masks/**/<stem><ending>.

    Args:
      root: the set's folder.
      images: the folder of the images in it.
      masks: the folder of the masks in it; masks without an image are left out.
      map: the class of each stored value, from `decoding.label_map`.
      endings: the endings of images, and those of masks.
      walk: how the folders are walked, as in `below`; None is a plain `Walk`.

    Returns:
      The source, in the order of the images' names.

    Raises:
      InputError: naming an image whose mask is missing, the second image of one mask, or a
        folder without images.
    """
    mask_sizes = below(root / masks, endings[1], walk)
    of_stem = {stem(name, endings[1]): name for name in mask_sizes}
    sizes: Sizes = {}
    chosen: Sizes = {}
    for name, size in below(root / images, endings[0], walk).items():
        mask = of_stem.get(same := stem(name, endings[0]))
        if mask is None:
            wanted = root / masks / f"{same}{endings[1][0]}"
            raise InputError(f"{root / images / name}: its mask {wanted} is missing")
        if f"{masks}/{mask}" in chosen:
            raise InputError(f"{root / images / name}: another image has the mask {mask} too")
        sizes[f"{images}/{name}"] = size
        chosen[f"{masks}/{mask}"] = mask_sizes[mask]
    if not sizes:
        raise hints.without(root / images, endings[0])
    return MaskedFiles(root, sizes, [*chosen], [*chosen.values()], map)
