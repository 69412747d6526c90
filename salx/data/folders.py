"""Sets that lie in folders: where, what is listed, and in which order."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from salx.data.images import MIXED, Shape
from salx.data.pictures import Classified, Masked, Sizes
from salx.infra.errors import InputError

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
MASKS = (".png",)


def locate(name: str, folder: str, layouts: Sequence[str], how: str) -> Path:
    """The folder `dir` of the first layout, "dir/part/...", that is there; dir may be "".

    Raises InputError that names every place looked at and says how to get the set.
    """
    if not folder:
        raise InputError(f"data set {name}: config.dataset.dir has to name its folder. {how}")
    root = Path(folder).expanduser()
    for layout in layouts:
        if (root / layout).is_dir():
            return root / layout
    looked = ", ".join(str(root / layout) for layout in layouts)
    raise InputError(f"data set {name} is not there; looked for {looked}. {how}")


def below(folder: Path, above: tuple[str, ...] = (), endings: Sequence[str] = IMAGES) -> Sizes:
    """The files below a folder whose names end so, in the order of their names' code points.

    Links are followed; hidden files are left out. Raises InputError for a folder that is not
    there, a link to nothing, and a link to a folder that it lies in.
    """
    real = os.path.realpath(folder)
    if real in above:
        raise InputError(f"{folder}: a link to a folder that it lies in")
    found: Sizes = {}
    for entry in entries(folder):
        if entry.is_dir():
            inner = below(Path(entry), (*above, real), endings)
            found |= {f"{entry.name}/{name}": size for name, size in inner.items()}
        elif stem(entry.name, endings) is not None:
            found[entry.name] = entry.stat().st_size
    return dict(sorted(found.items()))


def entries(folder: Path) -> list[os.DirEntry]:
    """What lies in a folder, sorted, but for what is hidden; every link leads somewhere."""
    try:
        with os.scandir(folder) as scanned:
            found = [entry for entry in scanned if not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from error
    for entry in found:
        if entry.is_symlink() and not os.path.exists(entry.path):
            raise InputError(
                f"{entry.path}: a link to {os.readlink(entry.path)}, which is not there"
            )
    return sorted(found, key=lambda entry: entry.name)


def stem(name: str, endings: Sequence[str]) -> str | None:
    """The name without the one of the endings that it has, in any case; None if it has none."""
    for ending in endings:
        if name.lower().endswith(ending.lower()):
            return name[: -len(ending)]
    return None


def prefix(part: str) -> str:
    """What stands before the names of a part: "train/", and nothing for the whole folder."""
    return f"{part}/" if part else ""


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, sorted. Raises InputError if there are none."""
    names = tuple(entry.name for entry in entries(folder) if entry.is_dir())
    if not names:
        raise InputError(f"{folder}: holds no class folders")
    return names


def class_folders(
    root: Path, split: str, classes: Sequence[str], shape: Shape = MIXED
) -> Classified:
    """root/split/<class>/*, in the order of the names; not every class has to be there.

    Raises InputError for a folder of another name, an empty one, and images beside them.
    """
    index = {name: number for number, name in enumerate(classes)}
    sizes: Sizes = {}
    labels: list[int] = []
    for entry in entries(root / split):
        if not entry.is_dir():
            if stem(entry.name, IMAGES) is not None:
                raise InputError(f"{entry.path}: lies in no class folder, {root / split}/<class>")
            continue
        if entry.name not in index:
            raise InputError(f"{entry.path}: {entry.name!r} is no class of the set")
        found = below(Path(entry))
        if not found:
            raise InputError(f"{entry.path}: holds no images ({', '.join(IMAGES)})")
        sizes |= {f"{prefix(split)}{entry.name}/{name}": size for name, size in found.items()}
        labels += [index[entry.name]] * len(found)
    return Classified(root, sizes, labels, shape)


def with_masks(
    root: Path,
    pictures: str,
    masks: str,
    map: np.ndarray,
    endings: tuple[Sequence[str], Sequence[str]] = (IMAGES, MASKS),
) -> Masked:
    """root/pictures/**/<stem><ending> with root/masks/**/<stem><ending>; masks may be more.

    Raises InputError that names a missing mask, or two images of one.
    """
    found = below(root / masks, endings=endings[1])
    of_stem = {stem(name, endings[1]): name for name in found}
    sizes: Sizes = {}
    chosen: Sizes = {}
    for name, size in below(root / pictures, endings=endings[0]).items():
        mask = of_stem.get(same := stem(name, endings[0]))
        if mask is None:
            wanted = root / masks / f"{same}{endings[1][0]}"
            raise InputError(f"{root / pictures / name}: its mask {wanted} is missing")
        if f"{masks}/{mask}" in chosen:
            raise InputError(f"{root / pictures / name}: another image has the mask {mask} too")
        sizes[f"{pictures}/{name}"] = size
        chosen[f"{masks}/{mask}"] = found[mask]
    return Masked(root, sizes, [*chosen], [*chosen.values()], map)
