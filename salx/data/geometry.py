"""Where pixels lie: an image is cut and scaled, and its mask, where the task has one, as well."""

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
    """A window on an image, in pixels; it may reach beyond the image's sides."""

    top: int
    left: int
    height: int
    width: int


def resized(task: Task, item: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    """Scale an item, pixel centres aligned: areas are averaged where it shrinks, pixels
    interpolated linearly where it grows, labels taken from the nearest pixel.

    Args:
      task: what moves the label.
      item: {"image": uint8[H, W, C], ...}.
      height: of the result, in pixels.
      width: of the result, in pixels.

    Returns:
      A new item.
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
    """Cut a window out of an item; what lies outside of the image has the colour `fill`, and
    the label VOID.

    Args:
      task: what moves the label.
      item: {"image": uint8[H, W, C], ...}.
      box: the window.
      fill: one value a channel, 0..255, or one for all.

    Returns:
      A new item.
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

    Scaled by its short side, a line of pixels would fill the memory, and the middle is seen alone.
    """
    h, w = item["image"].shape[:2]
    height, width = (min(side, SLIM * min(h, w)) for side in (h, w))
    if (height, width) == (h, w):
        return item
    return window(task, item, Box((h - height) // 2, (w - width) // 2, height, width))


def short_side(shape: Sequence[int], side: int) -> tuple[int, int]:
    """Give (H, W) of an image of a shape, scaled so that its shorter side is `side` pixels."""
    height, width = shape[:2]
    short = min(height, width)
    return round(height * side / short), round(width * side / short)
