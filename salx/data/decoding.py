"""Image files as arrays: RGB pictures, and masks of class indices."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from salx.data import opencv

Shape = tuple[int, int, int]

MIXED: Shape = (0, 0, 3)  # colour pictures of more than one size
COLOUR = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
PNG = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3  # PNG's colour types
IGNORED = 255  # not counted, neither in a loss nor in a metric
UNKNOWN = 254  # stands in a label map for a stored value that means nothing


def decode(content: bytes) -> np.ndarray:
    """Decode a whole image file's content to uint8[H, W, 3], RGB.

    CMYK, grey, palette and 16-bit images are converted, transparency and the camera's
    orientation are ignored.

    Raises:
      ValueError: for what is cut short or no image.
    """
    return _decoded(content, COLOUR)


def decode_mask(content: bytes) -> np.ndarray:
    """Decode the index that a PNG stores for each pixel, 8-bit grey or of a palette, to
    uint8[H, W].

    Raises:
      ValueError: for any other file: what is not an index cannot be read as one.
    """
    if not content.startswith(PNG):
        raise ValueError("a mask is a PNG file")
    bits, kind = content[24:26] if len(content) > 25 else (8, GREY)
    if kind == PALETTE:
        return _palette_indices(content)
    if (bits, kind) != (8, GREY):
        raise ValueError(
            "a mask holds one 8-bit index for each pixel, grey or palette; "
            f"this PNG has {bits} bits and colour type {kind}"
        )
    return _decoded(content, cv2.IMREAD_UNCHANGED)


def _decoded(content: bytes, flags: int) -> np.ndarray:
    """What opencv makes of the content; it gives nothing for a file that is cut short."""
    opencv.prepare()
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise ValueError("cut short, or no image")
    return image


def _palette_indices(content: bytes) -> np.ndarray:
    """uint8[H, W] of a PNG with a palette, of which opencv would give the colours."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return np.asarray(image)
    except (OSError, SyntaxError) as error:
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
        return decode(path.read_bytes())


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
