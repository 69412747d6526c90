"""Small data sets on disk, for the tests of those who read them."""

import importlib
from pathlib import Path

import cv2
import numpy as np

from salx.infra.errors import renamed

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def raw(name, **options):
    """The set as its module gives it, whatever its pictures' sizes: no transforms, no cache."""
    with renamed("config.dataset."):
        return importlib.import_module(f"salx.data.sets.{name}").load(**options)


def picture(seed=0, size=(6, 8)):
    """uint8[H, W, 3] of noise."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def encoded(array, kind=".png"):
    """The content of an image file; RGB stays RGB."""
    array = array[..., ::-1] if array.ndim == 3 else array
    return cv2.imencode(kind, array)[1].tobytes()


def write(path, content):
    """Writes an array as PNG (or JPEG, by the file's name), and bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        content = encoded(content, ".png" if path.suffix == ".png" else ".jpg")
    path.write_bytes(content)
    return path


def class_tree(root, counts, split="train"):
    """root/split/<class>/<number>.png with as many noisy pictures as `counts` says."""
    for name, count in counts.items():
        for number in range(count):
            write(root / split / name / f"{number}.png", picture(number))


def mask_tree(root, count=2, classes=3, split="train"):
    """root/split/{images,masks}/<number>.png; the mask's values count through the classes."""
    for number in range(count):
        write(root / split / "images" / f"{number}.png", picture(number))
        mask = (np.arange(48).reshape(6, 8) + number) % classes
        write(root / split / "masks" / f"{number}.png", mask.astype(np.uint8))
