"""Cutting and scaling of an image, and with it of its mask, where the task has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from salx.data import opencv
from salx.tasks import Task

VOID = 255  # the label of a pixel that is not counted
SLIM = 64  # times that an image may be as long as it is short


@dataclass(frozen=True)
class Box:
    """Describe a window on an image, in pixels; it may reach beyond the image's sides.

    Attributes:
      top: its first row, from the image's top; negative above it.
      left: its first column, likewise.
      height: how many rows it has.
      width: how many columns it has.
    """

    top: int
    left: int
    height: int
    width: int


def resized(task: Task, item: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    """Scale an item's image, and its mask with it.

    Centres of pixels are aligned. An image that shrinks is averaged over areas, one that grows
    in any direction is interpolated linearly, and a mask takes the label of the nearest pixel.

    Args:
      task: says whether the label moves with the pixels.
      item: {"image": uint8[H, W, C], ...}.
      height: rows of the result.
      width: columns of the result.

    Returns:
      A new item, its image uint8[height, width, C].
    """
    opencv.prepare()
    h, w = item["image"].shape[:2]
    smooth = cv2.INTER_AREA if height <= h and width <= w else cv2.INTER_LINEAR

    def scaled(pixels: np.ndarray, method: int) -> np.ndarray:
        if (height, width) == (h, w):
            return pixels
        new = cv2.resize(pixels, (width, height), interpolation=method)
        return new.reshape(height, width, *pixels.shape[2:])

    return task.move(
        item,
        lambda image: scaled(image, smooth),
        lambda mask: scaled(mask, cv2.INTER_NEAREST_EXACT),
    )


def window(task: Task, item: dict[str, Any], box: Box, fill: Sequence[int] = (0,)) -> dict:
    """Cut a window out of an item's image, and out of its mask with it.

    Args:
      task: says whether the label moves with the pixels.
      item: {"image": uint8[H, W, C], ...}.
      box: the window.
      fill: the colour of what lies outside of the image, whose label is VOID: one value for
        each channel, 0..255, or one for all.

    Returns:
      A new item, its image uint8[box.height, box.width, C].
    """
    height, width = box.height, box.width

    def cut(pixels: np.ndarray, empty: int | Sequence[int]) -> np.ndarray:
        h, w = pixels.shape[:2]
        rows = slice(*np.clip((box.top, box.top + height), 0, h))
        columns = slice(*np.clip((box.left, box.left + width), 0, w))
        inner = pixels[rows, columns]
        if inner.shape[:2] == (height, width):
            return inner
        whole = np.empty((height, width, *pixels.shape[2:]), pixels.dtype)
        whole[:] = empty
        top, left = rows.start - box.top, columns.start - box.left
        whole[top : rows.stop - box.top, left : columns.stop - box.left] = inner
        return whole

    return task.move(item, lambda image: cut(image, fill), lambda mask: cut(mask, VOID))


def without_ends(task: Task, item: dict[str, Any]) -> dict[str, Any]:
    """Cut the ends off an image that is more than SLIM times as long as it is short.

    Scaled by its short side, a line of pixels would fill the memory; and only its middle is used.

    Args:
      task: says whether the label moves with the pixels.
      item: {"image": uint8[H, W, C], ...}.

    Returns:
      A new item with the middle of the image, or the same item where nothing is cut.
    """
    h, w = item["image"].shape[:2]
    height, width = (min(side, SLIM * min(h, w)) for side in (h, w))
    if (height, width) == (h, w):
        return item
    return window(task, item, Box((h - height) // 2, (w - width) // 2, height, width))


def short_side(shape: Sequence[int], side: int) -> tuple[int, int]:
    """Compute the size of an image whose shorter side is scaled to `side` pixels.

    Args:
      shape: (H, W, ...) of the image, in pixels.
      side: the shorter side of the result, in pixels.

    Returns:
      (height, width) of the result; the longer side is rounded.
    """
    height, width = shape[:2]
    short = min(height, width)
    return round(height * side / short), round(width * side / short)
