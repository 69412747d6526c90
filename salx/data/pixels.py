"""Where pixels lie: an image and its mask, cut and scaled as one."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

VOID = 255  # the label of a pixel that is not counted

cv2.setNumThreads(0)  # readers work side by side already, on an example each


def both(item: dict[str, Any], image: Callable, mask: Callable) -> dict[str, Any]:
    """An item with `image` applied to its image, and `mask` to its label where that is one."""
    changed = {**item, "image": image(item["image"])}
    if np.ndim(item.get("label")) == 2:
        changed["label"] = mask(item["label"])
    return changed


def resized(item: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    """An item at another size, pixel centres aligned: areas are averaged where it shrinks,
    pixels interpolated linearly where it grows, labels taken from the nearest pixel."""
    h, w = item["image"].shape[:2]
    smooth = cv2.INTER_AREA if height <= h and width <= w else cv2.INTER_LINEAR

    def scaled(pixels: np.ndarray, method: int) -> np.ndarray:
        if (height, width) == (h, w):
            return pixels
        new = cv2.resize(pixels, (width, height), interpolation=method)
        return new.reshape(height, width, *pixels.shape[2:])

    return both(
        item,
        lambda image: scaled(image, smooth),
        lambda mask: scaled(mask, cv2.INTER_NEAREST_EXACT),
    )


def window(
    item: dict[str, Any], top: int, left: int, height: int, width: int, fill: Sequence[int] = (0,)
) -> dict[str, Any]:
    """The part of an item that begins at (top, left); what lies outside of the image has the
    colour `fill`, and the label VOID."""

    def cut(pixels: np.ndarray, empty) -> np.ndarray:
        h, w = pixels.shape[:2]
        rows = slice(*np.clip((top, top + height), 0, h))
        columns = slice(*np.clip((left, left + width), 0, w))
        part = pixels[rows, columns]
        if part.shape[:2] == (height, width):
            return part
        whole = np.empty((height, width, *pixels.shape[2:]), pixels.dtype)
        whole[:] = empty
        whole[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = part
        return whole

    return both(item, lambda image: cut(image, fill), lambda mask: cut(mask, VOID))


def short_side(shape: Sequence[int], side: int) -> tuple[int, int]:
    """(H, W) of an image of that shape, scaled so that its shorter side is `side` pixels."""
    height, width = shape[:2]
    short = min(height, width)
    return round(height * side / short), round(width * side / short)
