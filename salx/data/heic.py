"""Decoding of HEIC, the photographs of phones, where pillow-heif is installed (extra `heic`)."""

import importlib.util
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

ENDINGS = (".heic", ".heif", ".hif")
BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
INSTALL = "HEIC needs pillow-heif: pip install pillow-heif, or SALX with its extra `heic`"


def installed() -> bool:
    """Tell whether HEIC can be read, without importing anything.

    Returns:
      Whether pillow-heif is installed.
    """
    try:
        return importlib.util.find_spec("pillow_heif") is not None
    except ValueError:  # of a module that was put there without a spec
        return True


def is_heic(content: bytes) -> bool:
    """Tell whether a file is HEIC; AVIF, which begins in the same way, is not.

    Args:
      content: the file's first 40 bytes, or more.

    Returns:
      Whether they are those of HEIC.
    """
    return content[4:8] == b"ftyp" and content[8:12] in BRANDS and b"avif" not in content[8:40]


def decode(content: bytes) -> UInt8[np.ndarray, "height width 3"]:
    """Decode a HEIC file to RGB, turned as the format itself says.

    Args:
      content: the whole file.

    Returns:
      The pixels, 0..255.

    Raises:
      ValueError: for what is cut short, and where pillow-heif is not installed.
    """
    heif = _library()
    try:
        image = heif.open_heif(content, convert_hdr_to_8bit=True, bgr_mode=False)
        return np.ascontiguousarray(np.asarray(image.to_pillow().convert("RGB")))
    except Exception as error:  # libheif's are of many kinds
        raise ValueError("cut short, or no image") from error


def size(path: Path) -> tuple[int, int]:
    """Read the size of a HEIC file's image.

    Args:
      path: the file.

    Returns:
      (height, width) in pixels, as it is shown.

    Raises:
      ValueError: where pillow-heif is not installed.
    """
    width, height = _library().open_heif(path).size
    return height, width


def _library():
    """Import pillow-heif; raise ValueError where it is not installed."""
    try:
        import pillow_heif
    except ImportError as error:
        raise ValueError(INSTALL) from error
    return pillow_heif
