"""Sources of image files, and the data set of two of them."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from salx.data import decoding, headers
from salx.data.datasets import Dataset, fingerprint
from salx.infra.errors import InputError
from salx.infra.sealed import canonical

# Of ImageNet's training images, as every public recipe takes them for photographs.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Sizes = dict[str, int]  # a file's name below the set's folder, with "/": its size in bytes


class ImageFiles:
    """Image files; items are {"image": uint8[H, W, 3]}.

    `keys` are the files' names below `root`. Where `shape` is known, a picture of another one
    is an error. `turns` are EXIF's orientations, uint8[n], by which the stored images are turned;
    None turns none.
    """

    turns: np.ndarray | None = None

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

    def turned(self, turns: np.ndarray) -> Self:
        """Give the same files, turned by orientations uint8[n]; 1 leaves an image as it is."""
        other = copy.copy(self)
        other.turns = turns if (turns != 1).any() else None
        return other

    def content(self) -> bytes:
        """Give what of the content is known without reading it, for the fingerprint: a file that
        is not turned adds what it always did."""
        return self.sizes.tobytes() + (b"" if self.turns is None else self.turns.tobytes())


class ClassifiedFiles(ImageFiles):
    """Image files with a class each: items have an int32[] "label" beside."""

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
        """Give what is known without reading it, the labels as well."""
        return super().content() + self.labels.tobytes()


class MaskedFiles(ImageFiles):
    """Image files with a mask file each: items have a uint8[H, W] "label" beside.

    `mask_turns` are to the masks what `turns` are to the images.

    Attributes:
      converted: of a set whose masks hold no 255 as they are published: what one with 255 is.
    """

    mask_turns: np.ndarray | None = None
    converted = ""

    def __init__(
        self,
        root: Path,
        sizes: Sizes,
        masks: Sequence[str],
        mask_sizes: Sequence[int],
        map: np.ndarray,
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
        """Give what is known without reading it, the masks' files as well."""
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
    """Make the data set of two sources of RGB photographs, with ImageNet's mean and std."""
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
    """Give (H, W, 3) if all the files have one size, as their headers say; else MIXED."""
    sizes: set[tuple[int, int]] = set()
    for path in (source.root / key for source in sources for key in source.keys):
        # What cannot be read is told, or skipped, when its turn comes.
        if header := headers.read(path):
            sizes.add((header.height, header.width))
        if len(sizes) > 1:
            return decoding.MIXED
    return (*sizes.pop(), 3) if sizes else decoding.MIXED
