"""Decoding of image files to arrays: RGB images, and masks of class indices."""

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
from jaxtyping import Shaped, UInt8
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


def decode(content: bytes, name: str = "an image") -> UInt8[np.ndarray, "height width 3"]:
    """Decode an image file to RGB.

    CMYK, grey, palette and 16-bit images are converted; transparency and the camera's
    orientation are ignored (see `turned`), but for HEIC, which is turned as the format says.

    Args:
      content: the whole file.
      name: names the file in warnings.

    Returns:
      The pixels, 0..255.

    Raises:
      ValueError: for what is cut short or no image, too large, or of floating-point numbers.
    """
    return heic.decode(content) if heic.is_heic(content) else _decoded(content, COLOUR, name)


def turned(image: Shaped[np.ndarray, "rows columns ..."], turn: int) -> Shaped[np.ndarray, "..."]:
    """Turn an image as EXIF's orientation asks for.

    Args:
      image: the image, or its mask, as stored.
      turn: the orientation, 1 to 8; 1 is as stored.

    Returns:
      The image as it is to be shown; rows and columns change places for 5 to 8.
    """
    return np.ascontiguousarray(TURNS[turn](image)) if turn in TURNS else image


def decode_mask(content: bytes) -> UInt8[np.ndarray, "height width"]:
    """Decode the index that a PNG stores for each pixel, as 8-bit grey or of a palette.

    Args:
      content: the whole file.

    Returns:
      The indices; a palette's colours play no role.

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
    """Decode with OpenCV, which gives nothing for a file that is cut short."""
    image, words = opencv.decode(content, flags)
    if image is None:
        raise ValueError(_refused(content))
    if words and content.startswith(headers.JPEG):
        _warn_of_damage(name, words)
    return image


@functools.lru_cache(maxsize=1 << 16)  # a line for each file, however often it is read
def _warn_of_damage(name: str, words: str) -> None:
    """Warn of a file that its decoder complained of."""
    logging.warning(f"{name}: damaged, and read as far as that goes: {words}")


def _refused(content: bytes) -> str:
    """Say why OpenCV does not decode a file, as far as its header tells."""
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
    """Name the numbers of a TIFF that are wider than 16 bits; "" for none, or for no TIFF."""
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
    """Decode uint8[H, W] of a PNG with a palette, of which OpenCV would give the colours."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return np.asarray(image)
    except Exception as error:  # Pillow's are of many kinds
        raise ValueError("cut short, or no image") from error


def coloured(image: Shaped[np.ndarray, "*size channels"]) -> Shaped[np.ndarray, "*size 3"]:
    """Give an image three channels, as what shows images wants them.

    Args:
      image: an image, or several.

    Returns:
      The same where it has three channels; else its first channel, three times.
    """
    return image if image.shape[-1] == 3 else image[..., :1].repeat(3, -1)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put a file's name in front of the message of a ValueError that is raised within.

    Args:
      path: the file.

    Yields:
      Nothing.

    Raises:
      ValueError: with the name, where one is raised within.
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_image(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """Read an image file, as `decode` does.

    Args:
      path: the file.

    Returns:
      The pixels, RGB, 0..255.

    Raises:
      ValueError: naming the file, where `decode` raises one.
      OSError: for a file that cannot be read.
    """
    with naming(path):
        return decode(path.read_bytes(), str(path))


def read_mask(path: Path) -> UInt8[np.ndarray, "height width"]:
    """Read a mask's file, as `decode_mask` does.

    Args:
      path: the file.

    Returns:
      The indices as stored.

    Raises:
      ValueError: naming the file, where `decode_mask` raises one.
      OSError: for a file that cannot be read.
    """
    with naming(path):
        return decode_mask(path.read_bytes())


def label_map(classes: Mapping[int, int]) -> UInt8[np.ndarray, "256"]:
    """Make the table that turns the stored values of masks into classes.

    Args:
      classes: {stored value: class}, each 0..255.

    Returns:
      The class of each value; 255 stays 255 unless it is named, every other one is UNKNOWN.
    """
    table = np.full(256, UNKNOWN, np.uint8)
    table[IGNORED] = IGNORED
    table[list(classes)] = list(classes.values())
    return table


def mapped(
    stored: UInt8[np.ndarray, "height width"], map: UInt8[np.ndarray, "256"]
) -> UInt8[np.ndarray, "height width"]:
    """Turn the stored values of a mask into classes.

    Args:
      stored: the mask as stored.
      map: the set's table, from `label_map`.

    Returns:
      The class of each pixel, 255 where it is not counted.

    Raises:
      ValueError: for a value of no class.
    """
    label = cv2.LUT(stored, map)
    wrong = stored[label == UNKNOWN]
    if len(wrong):
        raise ValueError(f"the value {wrong[0]} in the mask is no class of the set")
    return label


def segmented(
    image: UInt8[np.ndarray, "height width 3"],
    stored: UInt8[np.ndarray, "rows columns"],
    map: UInt8[np.ndarray, "256"],
) -> dict[str, Any]:
    """Make an item of a segmentation.

    Args:
      image: its image, RGB.
      stored: its mask as stored.
      map: the set's table, from `label_map`.

    Returns:
      {"image": the image, "label": uint8[H, W], the class of each pixel}.

    Raises:
      ValueError: for a mask of another size, or a value that the map does not know.
    """
    if stored.shape != image.shape[:2]:
        sizes = " but the image ".join("{}x{}".format(*x.shape[1::-1]) for x in (stored, image))
        raise ValueError(f"the mask has {sizes} pixels")
    return {"image": image, "label": mapped(stored, map)}
