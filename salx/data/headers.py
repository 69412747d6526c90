"""Reading of an image file's first bytes: its size, its orientation and its bits.

JPEG and PNG are read here in a few microseconds, where Pillow takes some hundred: a pool has
hundreds of thousands of files, and each is looked at before the first is decoded. All other
formats, and what is odd in these two, are left to Pillow.
"""

import contextlib
import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, TiffImagePlugin

from salx.data import heic

ORIENTATION, BITS = 0x0112, 0x0102  # tags of EXIF and TIFF
JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"  # how they begin
FIRST = 4096  # bytes that are read at once; the rest only where something lies there
MOST = 200  # segments or chunks before the pixels
# JPEG's markers of a frame, which has the size; of its data; and of EXIF's segment.
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
DATA = (0xD9, 0xDA)
APP1 = 0xE1

View = Callable[[int, int], bytes]  # (offset, count) -> the bytes of a file there, or fewer


class Header(NamedTuple):
    """Hold what the header of an image file says.

    Attributes:
      height: rows of pixels, as stored.
      width: columns of pixels, as stored.
      turn: EXIF's orientation, 1 to 8; 1 shows the image as it is stored.
      bits: bits of a channel of a pixel.
    """

    height: int
    width: int
    turn: int = 1
    bits: int = 8


def read(path: str | Path) -> Header | None:
    """Read the header of an image file, without decoding its pixels.

    Args:
      path: the file.

    Returns:
      The header, or None where the file cannot be read or is in no format that is understood.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        first = os.read(file, FIRST)

        def view(offset: int, count: int) -> bytes:
            inside = offset + count <= len(first)
            return first[offset : offset + count] if inside else os.pread(file, count, offset)

        header = _parsed(view)
    except (OSError, struct.error):
        header = None
    finally:
        os.close(file)
    return header or _otherwise(path)


def of_content(content: bytes) -> Header | None:
    """Read the header of a JPEG or a PNG from its content.

    Args:
      content: the file, or enough of its beginning.

    Returns:
      The header, or None for anything else.
    """
    try:
        return _parsed(lambda offset, count: content[offset : offset + count])
    except struct.error:
        return None


def _parsed(view: View) -> Header | None:
    """Parse the header of a JPEG or a PNG; raise struct.error for one that is cut short."""
    start = view(0, len(PNG))
    if start == PNG:
        return _png(view)
    return _jpeg(view) if start.startswith(JPEG) else None


def _png(view: View) -> Header | None:
    """Parse a PNG's header."""
    if view(12, 4) != b"IHDR":
        return None
    width, height, bits = struct.unpack(">IIB", view(16, 9))
    return Header(height, width, _png_turn(view), bits) if height and width else None


def _png_turn(view: View) -> int:
    """Find the orientation in a PNG's chunk eXIf, if that stands before the pixels."""
    offset = 33
    for _ in range(MOST):
        head = view(offset, 8)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind == b"eXIf":
            return orientation(view(offset + 8, min(length, 1 << 16)))
        if kind in (b"IDAT", b"IEND"):
            break
        offset += 12 + length
    return 1


def _jpeg(view: View) -> Header | None:
    """Parse a JPEG's segments up to the one with the size."""
    offset, turn = 2, 1
    for _ in range(MOST):
        start, marker, length = struct.unpack(">BBH", view(offset, 4))
        if start != 0xFF or marker in DATA:
            break
        if marker == 0xFF:  # fills up
            offset += 1
            continue
        if marker in FRAMES:
            height, width = struct.unpack(">HH", view(offset + 5, 4))
            return Header(height, width, turn) if height and width else None
        if marker == APP1 and view(offset + 4, 6) == b"Exif\0\0":
            turn = orientation(view(offset + 10, max(0, length - 8)))
        offset += 2 + length
    return None


def orientation(exif: bytes) -> int:
    """Find the orientation in EXIF's bytes.

    Args:
      exif: a TIFF header and what follows it.

    Returns:
      The orientation, 1 to 8; 1 where the bytes name none.
    """
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        for entry in range(count):
            fields = struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * entry)
            if fields[0] == ORIENTATION:
                return fields[3] if 1 <= fields[3] <= 8 else 1
    except struct.error:
        pass
    return 1


def _otherwise(path: str | Path) -> Header | None:
    """Read a header with Pillow, which raises many kinds of errors for what it cannot read."""
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images, which are no fault
        if str(path).lower().endswith(heic.ENDINGS):
            return Header(*heic.size(Path(path)))
        with Image.open(path) as image:
            if isinstance(image, TiffImagePlugin.TiffImageFile):
                # Its orientation is the format's own: Pillow and opencv turn it themselves.
                return Header(image.height, image.width, 1, max(image.tag_v2.get(BITS, (8,))))
            turn = 1
            with contextlib.suppress(Exception):
                turn = image.getexif().get(ORIENTATION, 1)
            return Header(image.height, image.width, turn if turn in range(1, 9) else 1)
    return None
