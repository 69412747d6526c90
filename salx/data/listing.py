"""Sets that lie in folders: where, what is listed, and in which order."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from salx.data import hints
from salx.data.decoding import MIXED, Shape
from salx.data.image_files import ClassifiedFiles, MaskedFiles, Sizes
from salx.data.walk import IMAGES, UNFIT, Walk, lost, unfit
from salx.infra import paths
from salx.infra.errors import ArgumentError, InputError

MASKS = (".png",)


def locate(name: str, folder: str, layouts: Sequence[str], how: str) -> Path:
    """Find the folder `dir` of the first layout, "dir/part/...", that is there; dir may be "".

    Raises InputError that names every place looked at and says how to get the set.
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
    """List the files below a folder whose names end so, in the order of their names' code points.

    Links are followed; hidden files are left out. Raises InputError, unless the walk skips it,
    for a folder that is not there, a link to nothing, and a link to a folder that it lies in.
    """
    return (walk or Walk()).below(folder, endings)


def entries(folder: Path, walk: Walk | None = None) -> list[os.DirEntry]:
    """List what lies in a folder, sorted, but for what is hidden and folders of systems that the
    walk leaves out; every link leads somewhere."""
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
    """Give the name without the one of the endings that it has, in any case; None for none."""
    for ending in endings:
        if name.lower().endswith(ending.lower()):
            return name[: -len(ending)]
    return None


def prefix(split: str) -> str:
    """Give what stands before a split's names: "train/", and nothing for the whole folder."""
    return f"{split}/" if split else ""


def class_names(folder: Path, walk: Walk | None = None) -> tuple[str, ...]:
    """List the names of the folders in a folder, sorted. Raises InputError if there are none."""
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
    """List root/split/<class>/*, in the order of the names; not every class has to be there.

    Raises InputError for a folder of another name, an empty one, and images beside them.
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
    map: np.ndarray,
    endings: tuple[Sequence[str], Sequence[str]] = (IMAGES, MASKS),
    walk: Walk | None = None,
) -> MaskedFiles:
    """Pair root/images/**/<stem><ending> with root/masks/**/<stem><ending>; masks may be more.

    Raises InputError that names a missing mask, two images of one, or a folder without images.
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
