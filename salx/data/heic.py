"""HEIC, the photographs of phones, read by pillow-heif where it is installed (the extra `heic`)."""

import importlib.util
from pathlib import Path

import numpy as np

ENDINGS = (".heic", ".heif", ".hif")
BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
INSTALL = "HEIC needs pillow-heif: pip install pillow-heif, or SALX with its extra `heic`"


def installed() -> bool:
    """Say whether HEIC can be read, without importing anything."""
    try:
        return importlib.util.find_spec("pillow_heif") is not None
    except ValueError:  # of a module that was put there without a spec
        return True


def is_heic(content: bytes) -> bool:
    """Say whether a file's first bytes are those of HEIC; AVIF begins in the same way."""
    return content[4:8] == b"ftyp" and content[8:12] in BRANDS and b"avif" not in content[8:40]


def decode(content: bytes) -> np.ndarray:
    """Decode a file's content to uint8[H, W, 3], RGB, turned as the format itself says.

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
    """Give (height, width) of a file. Raises ValueError where pillow-heif is not installed."""
    width, height = _library().open_heif(path).size
    return height, width


def _library():
    try:
        import pillow_heif
    except ImportError as error:
        raise ValueError(INSTALL) from error
    return pillow_heif
