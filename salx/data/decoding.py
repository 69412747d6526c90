"""Image files as arrays: RGB pictures, and masks of class indices."""

import contextlib
import functools
import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from absl import logging
from PIL import Image, TiffImagePlugin

from salx.data import headers, heic, opencv

Shape = tuple[int, int, int]

MIXED: Shape = (0, 0, 3)  # colour pictures of more than one size
COLOUR = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
GREY, PALETTE = 0, 3  # PNG's colour types
IGNORED = 255  # not counted, neither in a loss nor in a metric
UNKNOWN = 254  # stands in a label map for a stored value that means nothing

# Opencv's limits, of which the environment can raise one: pixels on a side, and of an image.
SIDE, PIXELS = 1 << 20, "OPENCV_IO_MAX_IMAGE_PIXELS"
FLOATS = 3  # of TIFF's tag SampleFormat
SAMPLE_FORMAT = 339

# What EXIF's orientations ask for, from the stored image to the one that is shown.
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: image.swapaxes(0, 1)[::-1],
}


def decode(content: bytes, name: str = "an image") -> np.ndarray:
    """Decode a whole image file's content to uint8[H, W, 3], RGB; `name` is for warnings.

    CMYK, grey, palette and 16-bit images are converted, transparency and the camera's
    orientation are ignored (see `turned`).

    Raises:
      ValueError: for what is cut short or no image, too large, or of floating-point numbers.
    """
    return heic.decode(content) if heic.is_heic(content) else _decoded(content, COLOUR, name)


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """Turn a stored image [H, W, ...] by EXIF's orientation; 1 is as stored."""
    return np.ascontiguousarray(TURNS[turn](image)) if turn in TURNS else image


def decode_mask(content: bytes) -> np.ndarray:
    """Decode the index that a PNG stores for each pixel, 8-bit grey or of a palette, to
    uint8[H, W].

    Raises:
      ValueError: for any other file: what is not an index cannot be read as one.
    """
    if not content.startswith(headers.PNG):
        raise ValueError("a mask is a PNG file")
    bits, kind = content[24:26] if len(content) > 25 else (8, GREY)
    if kind == PALETTE:
        return _palette_indices(content)
    if (bits, kind) != (8, GREY):
        raise ValueError(
            "a mask holds one 8-bit index for each pixel, grey or palette; "
            f"this PNG has {bits} bits and colour type {kind}"
        )
    return _decoded(content, cv2.IMREAD_UNCHANGED, "a mask")


def _decoded(content: bytes, flags: int, name: str) -> np.ndarray:
    """What opencv makes of the content; it gives nothing for a file that is cut short."""
    image, words = opencv.decode(content, flags)
    if image is None:
        raise ValueError(_refused(content))
    if words and content.startswith(headers.JPEG):
        _warn_of_damage(name, words)
    return image


@functools.lru_cache(maxsize=1 << 16)  # a line for each file, however often it is read
def _warn_of_damage(name: str, words: str) -> None:
    logging.warning(f"{name}: damaged, and read as far as that goes: {words}")


def _refused(content: bytes) -> str:
    """Why opencv does not decode a file, as far as its header says."""
    header = headers.of_content(content)
    limit = os.environ.get(PIXELS, "")
    most = int(limit) if limit.isdecimal() else 1 << 30
    if header and (header.height * header.width > most or max(header[:2]) > SIDE):
        size = f"{header.width:,} x {header.height:,}"
        return (
            f"too large: it has {size} pixels; at most {most:,} are read, {SIDE:,} on a side (the "
            f"environment variable {PIXELS} sets another limit)"
        )
    numbers = _wide_numbers(content) if content[:4] in (b"II*\0", b"MM\0*") else ""
    if numbers:
        return (
            f"it holds {numbers}, of which nobody says what is black and what is white: save it "
            "with 8 or 16 bits"
        )
    return "cut short, or no image"


def _wide_numbers(content: bytes) -> str:
    """What a TIFF holds, if that is more than 16 bits; Pillow's errors are of many kinds."""
    with contextlib.suppress(Exception):
        tags = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
        file = io.BytesIO(content)
        file.seek(tags.next)
        tags.load(file)
        bits = max(tags.get(headers.BITS, (1,)))
        if FLOATS in tags.get(SAMPLE_FORMAT, ()):
            return "floating-point numbers"
        return f"numbers of {bits} bits" if bits > 16 else ""
    return ""


def _palette_indices(content: bytes) -> np.ndarray:
    """uint8[H, W] of a PNG with a palette, of which opencv would give the colours."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return np.asarray(image)
    except Exception as error:  # Pillow's are of many kinds
        raise ValueError("cut short, or no image") from error


def coloured(image: np.ndarray) -> np.ndarray:
    """Give [H, W, 3] of an image with three channels, or of the first of fewer."""
    return image if image.shape[-1] == 3 else image[..., :1].repeat(3, -1)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name in front of a ValueError's message."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_image(path: Path) -> np.ndarray:
    """Decode an image file as `decode` does; errors name it."""
    with naming(path):
        return decode(path.read_bytes(), str(path))


def read_mask(path: Path) -> np.ndarray:
    """Decode a mask's file as `decode_mask` does; errors name it."""
    with naming(path):
        return decode_mask(path.read_bytes())


def label_map(classes: Mapping[int, int]) -> np.ndarray:
    """Make uint8[256] of {stored value: class}; 255 stays, every other value is UNKNOWN."""
    table = np.full(256, UNKNOWN, np.uint8)
    table[IGNORED] = IGNORED
    table[list(classes)] = list(classes.values())
    return table


def mapped(stored: np.ndarray, map: np.ndarray) -> np.ndarray:
    """Turn stored values uint8[H, W] into classes uint8[H, W], by a label map uint8[256].

    Raises:
      ValueError: for a value of no class.
    """
    label = cv2.LUT(stored, map)
    wrong = stored[label == UNKNOWN]
    if len(wrong):
        raise ValueError(f"the value {wrong[0]} in the mask is no class of the set")
    return label


def segmented(image: np.ndarray, stored: np.ndarray, map: np.ndarray) -> dict[str, Any]:
    """Make an item of an image, its mask as stored and the set's label map.

    Raises:
      ValueError: for a mask of another size, or a value that the map does not know.
    """
    if stored.shape != image.shape[:2]:
        sizes = " but the image ".join("{}x{}".format(*x.shape[1::-1]) for x in (stored, image))
        raise ValueError(f"the mask has {sizes} pixels")
    return {"image": image, "label": mapped(stored, map)}
