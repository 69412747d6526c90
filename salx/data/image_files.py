"""Sources whose examples are image files, and the data set of two such sources."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from salx.data import decoding, headers
from salx.data.datasets import Dataset, fingerprint
from salx.infra.errors import InputError
from salx.infra.sealed import canonical

# Of ImageNet's training images, as every public recipe takes them for photographs.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Sizes = dict[str, int]  # a file's name below the set's folder, with "/": its size in bytes


class ImageFiles:
    """Give images that lie in files, a `Source` without labels.

    Items are {"image": uint8[H, W, 3]}. Keys are the files' names below `root`; `sizes` are
    their sizes in bytes, by name, in the order of the ids. Where `shape` is not MIXED, an image
    of another shape is an error.

    Attributes:
      turns: EXIF's orientation of each image, 1 to 8, by which it is turned when it is read;
        None turns none.
    """

    turns: UInt8[np.ndarray, " n"] | None = None

    def __init__(self, root: Path, sizes: Sizes, shape: decoding.Shape = decoding.MIXED):
        self.root, self.shape = root, shape
        self.keys, self.sizes = list(sizes), np.array([*sizes.values()], np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path = self.root / self.keys[index]
        image = decoding.read_image(path)
        if self.shape != decoding.MIXED and image.shape != self.shape:
            raise ValueError(f"{path}: its shape is {image.shape}, not {self.shape}")
        if self.turns is not None:
            image = decoding.turned(image, int(self.turns[index]))
        return {"image": image}

    def turned(self, turns: UInt8[np.ndarray, " n"]) -> "ImageFiles":
        """Make a source of the same files whose images are turned.

        Args:
          turns: EXIF's orientation of each image; 1 leaves it as it is stored.

        Returns:
          A source of the same class; this one stays as it is.
        """
        other = copy.copy(self)
        other.turns = turns if (turns != 1).any() else None
        return other

    def content(self) -> bytes:
        """Tell the content apart without reading it, for the data set's fingerprint.

        Returns:
          The files' sizes, and the turns where any image is turned, as bytes. Without turns the
          bytes are those of a source that knows no turns, and so is the fingerprint.
        """
        return self.sizes.tobytes() + (b"" if self.turns is None else self.turns.tobytes())


class ClassifiedFiles(ImageFiles):
    """Give images that lie in files with one class each: items have a "label", int32[]."""

    def __init__(
        self,
        root: Path,
        sizes: Sizes,
        labels: Sequence[int],
        shape: decoding.Shape = decoding.MIXED,
    ):
        super().__init__(root, sizes, shape)
        self.labels = np.array(labels, np.int32)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**super().__getitem__(index), "label": self.labels[index]}

    def content(self) -> bytes:
        """Tell the content apart without reading it, for the data set's fingerprint.

        Returns:
          The bytes of `ImageFiles.content`, and the labels.
        """
        return super().content() + self.labels.tobytes()


class MaskedFiles(ImageFiles):
    """Give images that lie in files with a mask file each: items have a "label", uint8[H, W].

    `masks` are the masks' names below `root`, in the order of the images, `mask_sizes` their
    sizes in bytes, and `map` turns their stored values into classes.

    Attributes:
      mask_turns: EXIF's orientation by which each mask is turned when it is read; None turns
        none.
      converted: for a set whose published masks never hold 255, what a mask that does hold it
        is, as the end of an error's message; "" where 255 is allowed.
    """

    mask_turns: UInt8[np.ndarray, " n"] | None = None
    converted = ""

    def __init__(
        self,
        root: Path,
        sizes: Sizes,
        masks: Sequence[str],
        mask_sizes: Sequence[int],
        map: UInt8[np.ndarray, "256"],
    ):
        super().__init__(root, sizes)
        self.masks, self.map = list(masks), map
        self.mask_sizes = np.array(mask_sizes, np.int64)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path = self.root / self.masks[index]
        image, stored = super().__getitem__(index)["image"], decoding.read_mask(path)
        if self.converted and (stored == decoding.IGNORED).any():
            raise InputError(f"{path}: {self.converted}")
        if self.mask_turns is not None:
            stored = decoding.turned(stored, int(self.mask_turns[index]))
        with decoding.naming(path):
            return decoding.segmented(image, stored, self.map)

    def content(self) -> bytes:
        """Tell the content apart without reading it, for the data set's fingerprint.

        Returns:
          The bytes of `ImageFiles.content`, and the masks' names, sizes, label map and turns.
        """
        masks = (canonical(self.masks), self.mask_sizes.tobytes(), self.map.tobytes())
        turns = b"" if self.mask_turns is None else self.mask_turns.tobytes()
        return b"".join((super().content(), *masks, turns))


def photographs(
    *,
    pool: Any,
    val: Any,
    classes: Sequence[str],
    image_shape: decoding.Shape = decoding.MIXED,
    **description: Any,
) -> Dataset:
    """Make a data set of two sources of RGB photographs, with ImageNet's mean and std.

    Args:
      pool: the source of the examples to choose from; has `content()`, for the fingerprint.
      val: the source of the examples to measure on, likewise.
      classes: the names of the classes.
      image_shape: (H, W, 3) of all images, or MIXED.
      **description: the other fields of `Dataset`: name, task and about, at least.

    Returns:
      The data set.
    """
    marks = canonical([len(pool), len(val), list(classes)])
    return Dataset(
        pool=pool,
        val=val,
        classes=tuple(classes),
        image_shape=image_shape,
        mean=MEAN,
        std=STD,
        fingerprint=fingerprint([*pool.keys, *val.keys], marks, pool.content(), val.content()),
        **description,
    )


def common_shape(*sources: ImageFiles) -> decoding.Shape:
    """Compare the sizes of all images, as the headers of their files say.

    Args:
      *sources: the files.

    Returns:
      (H, W, 3) if all have one size, else MIXED.
    """
    sizes: set[tuple[int, int]] = set()
    for path in (source.root / key for source in sources for key in source.keys):
        # What cannot be read is told, or skipped, when its turn comes.
        if header := headers.read(path):
            sizes.add((header.height, header.width))
        if len(sizes) > 1:
            return decoding.MIXED
    return (*sizes.pop(), 3) if sizes else decoding.MIXED
