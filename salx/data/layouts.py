"""Meanings of names in anybody's folder of images: splits, masks, copies, systems' folders."""

import filecmp
import re
from bisect import bisect
from collections.abc import Iterable, Sequence
from pathlib import Path

from salx.data.image_files import Sizes
from salx.infra.errors import InputError

TRAIN = ("train", "training")
VALIDATION = ("val", "valid", "validation")
TEST = ("test", "testing")  # validation where there is none of those above
IMAGE_FOLDERS = ("image", "images", "img", "imgs", "jpegimages", "leftimg8bit")

# Folders that network drives, archives and viewers make: of thumbnails, or of nothing.
SYSTEM = ("@eadir", "__macosx", "thumbs", "thumbnails", "#recycle", "@recycle", "$recycle.bin")
SYSTEM += ("#snapshot", "@recently-snapshot", "lost+found", "system volume information")
LOSSLESS = (".png", ".bmp", ".gif", ".tif", ".tiff")  # masks that are no one image's are these

# Names of folders of masks, once - _ . and spaces are taken out: masks, gtFine, train_labels.
_MASKS = (
    "(masks?|labels?|labelids|labelmaps?|annots?|annotations?|segmentations?|segmaps?"
    "|segmentation(class|object)(aug|raw)?|gt|gtfine|gtcoarse|groundtruths?)"
)
_BEFORE = (
    "(train|training|val|valid|validation|test|testing|semantic|instance|panoptic|segmentation"
    "|seg|pixel|class|object|colou?r|camera|ego|gt|image)*"
)
_MASK_FOLDER = re.compile(_BEFORE + _MASKS)
_MASK_WORDS = re.compile("mask|label|annot|seg|gt|truth|color|instance", re.I)  # in any of them
_NO_CLASS = re.compile(f"{_MASKS}|{'|'.join((*TRAIN, *VALIDATION, *TEST, *IMAGE_FOLDERS))}")
# A mask that belongs to a camera and to no one image: camera_mask.png, masks/front.png.
_CAMERA_MASK = re.compile(
    r"((camera|cam|ego|lens|vehicle|car|hood|static|roi)[ _.-]?)?masks?", re.I
)
# What a mask's name has behind its image's: 0001_mask.png, aachen_000001_gtFine_labelIds.png.
_MASK_ENDING = re.compile(
    r"[ _.-]((gt(fine|coarse)[ _-])?(label(train)?ids|instanceids|color)"
    r"|masks?|labels?|annotations?|seg|segmentation|gt)$",
    re.I,
)
_IMAGE_ENDING = re.compile(r"_leftImg8bit$", re.I)
_COPY = re.compile(r"\d{6}_(.+)")  # as `--copy` names: a rank and the end of the image's name


def is_split(name: str) -> bool:
    """Tell whether a folder's name is that of a split.

    Args:
      name: the folder's name, in any case.

    Returns:
      Whether it is one of TRAIN, VALIDATION and TEST.
    """
    return name.lower() in (*TRAIN, *VALIDATION, *TEST)


def is_no_class(name: str) -> bool:
    """Tell whether a folder's name is that of a split, of images or of masks, and so no class's.

    Args:
      name: the folder's name, in any case.

    Returns:
      Whether it is such a name; spaces and "_", "." and "-" in it do not count.
    """
    return bool(_NO_CLASS.fullmatch(_plain(name)))


def splits(root: Path, folders: Sequence[str]) -> tuple[str, str]:
    """Choose the folders of the pool and of validation.

    The pool is train or training; validation is val, valid or validation, or else test or
    testing, all in any case.

    Args:
      root: the set's folder, for messages.
      folders: the names of the folders in it.

    Returns:
      The names of the pool's and of validation's folder, "" for one that is not there.

    Raises:
      InputError: where two folders could be the same split.
    """

    def one(names: Sequence[str], what: str) -> str:
        fits = sorted(name for name in folders if name.lower() in names)
        if len(fits) > 1:
            listed = " and ".join(fits)
            raise InputError(
                f"{root}: holds {listed}, of which one can be {what}: rename the other"
            )
        return fits[0] if fits else ""

    train = one(TRAIN, "the pool")
    return train, one(VALIDATION, "validation") or one(TEST, "validation")


def masks(names: Iterable[str]) -> dict[str, str]:
    """Find the masks among the names of image files.

    These are: what lies in a folder of masks (`masks/`, `labels/`, `gtFine/` ...), where at least
    half of its stems are those of images outside of it, in the folder that it lies in or below;
    a file beside its image (`a.jpg`, `a_mask.png`); and masks of a camera (`masks/front.png`,
    `camera_mask.png`), which belong to no one image and have one of the LOSSLESS formats.

    Args:
      names: the files' names below the set's folder.

    Returns:
      {name of a mask: the folder that it is a mask in}.
    """
    names = list(names)
    if not _MASK_WORDS.search("\n".join(names)):
        return {}
    folders = {folder: _mask_folder(folder) for folder in set(map(_folder, names))}
    groups: dict[str, list[str]] = {}
    images: list[str] = []
    for name in names:
        group = folders[_folder(name)]
        (images if group is None else groups.setdefault(group, [])).append(name)
    inline = _in_place(images)
    stems: dict[str, set[str]] = {_folder(group): set() for group in groups}
    for name in images if groups else ():
        for folder in ("", *_above(_folder(name))):
            if folder in stems and name not in inline:
                stems[folder].add(_IMAGE_ENDING.sub("", _stem(name)))
    chosen = {name: _folder(name) for name in inline}
    for group, members in groups.items():
        chosen |= dict.fromkeys(_masks_of(group, members, stems[_folder(group)]), group)
    return chosen


def copies(root: Path, sizes: Sizes) -> dict[str, str]:
    """Find the copies of images that `--copy` of an earlier selection made below a folder.

    These are folders of which every image is one that lies elsewhere: by its key and size,
    folders and all (`copy/drive/a.jpg` of `drive/a.jpg`), with a look into some of them; or, as
    version 0.1 copied, at least half of them by name and size (`copy/000012_a.jpg`).

    Args:
      root: the folder.
      sizes: the files below it, sorted by name, with their sizes in bytes.

    Returns:
      {name of a copy: the folder of copies that it lies in}.
    """
    names = list(sizes)
    folders = {each for lowest in set(map(_folder, names)) for each in _above(lowest)}
    mirrors: dict[str, str] = {}
    for folder in sorted(folders):
        # The names are sorted, and "0" is what follows "/".
        members = names[bisect(names, f"{folder}/") : bisect(names, f"{folder}0")]
        if members[0] not in mirrors and _mirrored(root, members, len(folder) + 1, sizes):
            mirrors |= dict.fromkeys(members, folder)
    return mirrors | _ranked({name: size for name, size in sizes.items() if name not in mirrors})


def _mirrored(root: Path, members: Sequence[str], start: int, sizes: Sizes) -> bool:
    """Tell whether the names, cut at letter `start`, name files of the same size and content."""
    if len(members) < 2 or any(sizes.get(name[start:]) != sizes[name] for name in members):
        return False
    looked = {members[0], members[len(members) // 2], members[-1]}
    try:
        return all(filecmp.cmp(root / name, root / name[start:], False) for name in looked)
    except OSError:
        return False


def _ranked(sizes: Sizes) -> dict[str, str]:
    """Find the copies that version 0.1 made, which are named by rank."""
    folders: dict[str, list[str]] = {}
    for name in sizes:
        folders.setdefault(_folder(name), []).append(name)
    suspects = {
        folder: names
        for folder, names in folders.items()
        if all(_COPY.fullmatch(_last(name)) for name in names)
    }
    if not suspects:
        return {}
    originals = {
        (re.sub(r"[^\w.-]", "_", _last(name))[-50:], size)
        for name, size in sizes.items()
        if _folder(name) not in suspects
    }
    return {
        name: folder
        for folder, names in suspects.items()
        if 2 * sum((_last(each)[7:], sizes[each]) in originals for each in names) >= len(names)
        for name in names
    }


def _plain(name: str) -> str:
    """Write a folder's name in lower case, without what stands between its words."""
    return re.sub(r"[ _.-]", "", name.lower())


def _last(name: str) -> str:
    """Give the last part of a path."""
    return name.rpartition("/")[2]


def _folder(name: str) -> str:
    """Give the path of the folder that a file lies in."""
    return name.rpartition("/")[0]


def _stem(name: str) -> str:
    """Give a file's name without its folder and its ending."""
    return _last(name).rpartition(".")[0]


def _above(folder: str) -> list[str]:
    """List a folder and those that it lies in, from the outermost: a and a/b of a/b."""
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _mask_folder(folder: str) -> str | None:
    """Find the outermost folder of masks that a folder lies in or is; None for none."""
    each = _above(folder)
    return next((one for one in each if _MASK_FOLDER.fullmatch(_plain(_last(one)))), None)


def _is_camera_mask(name: str) -> bool:
    """Tell whether a file is named as a mask of a camera, in a format of masks."""
    return bool(_CAMERA_MASK.fullmatch(_stem(name))) and name.lower().endswith(LOSSLESS)


def _masks_of(group: str, members: Sequence[str], stems: set[str]) -> list[str]:
    """Select the masks in a folder of masks: all files, those of a camera, or none."""
    paired = sum(bool({_stem(each), _MASK_ENDING.sub("", _stem(each))} & stems) for each in members)
    if 2 * paired >= len(members):
        return list(members)
    if stems and _CAMERA_MASK.fullmatch(_last(group)):
        return [each for each in members if each.lower().endswith(LOSSLESS)]
    return []


def _in_place(images: Sequence[str]) -> set[str]:
    """Find masks that lie in the folders of their images, and those of a camera."""
    cameras = {name for name in images if _is_camera_mask(name)}
    if len(cameras) == len(images):
        return set()
    suspects = [name for name in images if _MASK_ENDING.search(_stem(name))]
    whole = {name.rpartition(".")[0] for name in images} if suspects else set()
    paired = (n for n in suspects if _MASK_ENDING.sub("", n.rpartition(".")[0]) in whole)
    return cameras | set(paired)
