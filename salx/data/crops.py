"""Changes of an item between its source and its batch.

Pixels stay uint8, an image and its mask move together, and all randomness comes from the
generator that is handed in.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import grain
import numpy as np

from salx.data import geometry, opencv
from salx.data.geometry import Box
from salx.data.options import Size
from salx.tasks import Task

LUMA = np.array([0.299, 0.587, 0.114])  # grey of RGB, ITU-R BT.601
RATIO = (3 / 4, 4 / 3)  # width to height of a resized crop

Item = dict[str, Any]


@dataclass(frozen=True)
class ResizedCrop(grain.transforms.RandomMap):
    """Cut out a window with a random share of the image's area, and scale it to `size`.

    The window's ratio of width to height is drawn from RATIO, evenly in its logarithm. After
    ten draws that do not fit, it is as much of the image's middle as RATIO allows. From
    C. Szegedy et al., "Going deeper with convolutions", CVPR 2015, section 6.

    Attributes:
      task: says whether the label moves with the pixels.
      size: (H, W) of the result, in pixels.
      area: (low, high) of the window's share of the image's area, in (0, 1].
    """

    task: Task
    size: Size
    area: tuple[float, float]

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        """Change an item at random.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.
          rng: what all its draws come from.

        Returns:
          A new item, its image uint8[*size, C].
        """
        h, w = item["image"].shape[:2]
        for _ in range(10):
            ratio = math.exp(rng.uniform(*np.log(RATIO)))
            area = rng.uniform(*self.area) * h * w
            height, width = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
            if 0 < height <= h and 0 < width <= w:
                top, left = rng.integers(h - height + 1), rng.integers(w - width + 1)
                break
        else:
            height = max(1, min(h, round(w / RATIO[0])))
            width = max(1, min(w, round(h * RATIO[1])))
            top, left = (h - height) // 2, (w - width) // 2
        item = geometry.window(self.task, item, Box(top, left, height, width))
        return geometry.resized(self.task, item, *self.size)


@dataclass(frozen=True)
class ScaleCrop(grain.transforms.RandomMap):
    """Scale an image by a random factor, and cut a random window of `size` out of it.

    A scaled image that is smaller than `size` is padded below and right. Only the window's
    pixels are scaled. From L.-C. Chen et al., "Rethinking atrous convolution for semantic image
    segmentation", 2017, section 4.1.

    Attributes:
      task: says whether the label moves with the pixels.
      size: (H, W) of the result, in pixels.
      scale: (low, high) of the factor.
      fill: the colour of the padding, 0..255 a channel.
    """

    task: Task
    size: Size
    scale: tuple[float, float]
    fill: tuple[int, ...]

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        """Change an item at random.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.
          rng: what all its draws come from.

        Returns:
          A new item, its image uint8[*size, C].
        """
        h, w = item["image"].shape[:2]
        factor = rng.uniform(*self.scale)
        height, width = (max(1, round(side / factor)) for side in self.size)
        top = rng.integers(max(h, height) - height + 1)
        left = rng.integers(max(w, width) - width + 1)
        item = geometry.window(self.task, item, Box(top, left, height, width), self.fill)
        return geometry.resized(self.task, item, *self.size)


@dataclass(frozen=True)
class PadCrop(grain.transforms.RandomMap):
    """Pad an image by `pad` pixels on each side, and cut a random window of `size` out of it.

    K. He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.

    Attributes:
      task: says whether the label moves with the pixels.
      size: (H, W) of the result, in pixels.
      pad: pixels on each side.
      fill: the colour of the padding, 0..255 a channel.
    """

    task: Task
    size: Size
    pad: int
    fill: tuple[int, ...]

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        """Change an item at random.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.
          rng: what all its draws come from.

        Returns:
          A new item, its image uint8[*size, C].
        """
        top, left = (
            rng.integers(max(old + 2 * self.pad - new, 0) + 1) - self.pad
            for old, new in zip(item["image"].shape, self.size, strict=False)
        )
        return geometry.window(self.task, item, Box(top, left, *self.size), self.fill)


@dataclass(frozen=True)
class Flip(grain.transforms.RandomMap):
    """Mirror an image left to right, with probability 1/2.

    Attributes:
      task: says whether the label moves with the pixels.
    """

    task: Task

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        """Change an item at random.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.
          rng: what all its draws come from.

        Returns:
          A new item of the same size.
        """
        if rng.random() < 0.5:
            return item
        return self.task.move(item, lambda image: image[:, ::-1], lambda mask: mask[:, ::-1])


@dataclass(frozen=True)
class Jitter(grain.transforms.RandomMap):
    """Change brightness, contrast and saturation by factors in [1 - strength, 1 + strength).

    With x a colour, g(x) its grey, m the image's mean grey and b, c, s the drawn factors:
    x -> b x, then c x + (1 - c) m, then s x + (1 - s) g(x). This is one affine map of x,
    rounded and clipped once, so that it is within 1 of three steps that each round.

    Attributes:
      strength: how far the factors may be from 1, in [0, 1).
    """

    strength: float

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        """Change an item at random.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.
          rng: what all its draws come from.

        Returns:
          A new item of the same size.
        """
        b, c, s = rng.uniform(1 - self.strength, 1 + self.strength, 3)
        opencv.prepare()
        image = np.ascontiguousarray(item["image"])
        channels = image.shape[2]
        grey = LUMA if channels == 3 else np.full(channels, 1 / channels)
        mean = cv2.mean(image)[:channels] @ grey
        matrix = b * c * (s * np.eye(channels) + (1 - s) * grey)
        offset = np.full((channels, 1), b * (1 - c) * mean)
        new = cv2.transform(image, np.hstack([matrix, offset])).reshape(image.shape)
        return {**item, "image": new}


@dataclass(frozen=True)
class Chain:
    """Apply random maps one after the other, all on one generator.

    Attributes:
      steps: the maps, in order.
    """

    steps: tuple[grain.transforms.RandomMap, ...]

    def __call__(self, item: Item, rng: np.random.Generator) -> Item:
        for step in self.steps:
            item = step.random_map(item, rng)
        return item


def _with_size(item: Item, height: int, width: int) -> Item:
    """Add "size" int32[2] to an item, the (height, width) of the part of it that is image."""
    return {**item, "size": np.array([height, width], np.int32)}


@dataclass(frozen=True)
class Whole(grain.transforms.Map):
    """Leave an image as it is."""

    def map(self, item: Item) -> Item:
        """Change an item, and say which of its pixels are image.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.

        Returns:
          A new item with "size" int32[2], the (height, width) of its image.
        """
        return _with_size(item, *item["image"].shape[:2])


@dataclass(frozen=True)
class CenterCrop(grain.transforms.Map):
    """Scale an image to a short side of `side` pixels, and cut out its middle.

    Attributes:
      task: says whether the label moves with the pixels.
      size: (H, W) of the result, in pixels.
      side: the short side before the cut, in pixels; at least the larger side of `size`.
    """

    task: Task
    size: Size
    side: int

    def map(self, item: Item) -> Item:
        """Change an item, and say which of its pixels are image.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.

        Returns:
          A new item, its image uint8[*size, C], and "size" int32[2], the (height, width) from
          the top left of what is image and not padding.
        """
        item = geometry.without_ends(self.task, item)
        shape = geometry.short_side(item["image"].shape, self.side)
        item = geometry.resized(self.task, item, *shape)
        h, w = item["image"].shape[:2]
        height, width = self.size
        middle = Box((h - height) // 2, (w - width) // 2, height, width)
        return _with_size(geometry.window(self.task, item, middle), height, width)


@dataclass(frozen=True)
class Fit(grain.transforms.Map):
    """Scale an image, its ratio unchanged, until it just fits `size`, and pad below or right.

    Attributes:
      task: says whether the label moves with the pixels.
      size: (H, W) of the result, in pixels.
      fill: the colour of the padding, 0..255 a channel.
    """

    task: Task
    size: Size
    fill: tuple[int, ...]

    def map(self, item: Item) -> Item:
        """Change an item, and say which of its pixels are image.

        Args:
          item: {"image": uint8[H, W, C], "label": ...}.

        Returns:
          A new item, its image uint8[*size, C], and "size" int32[2], the (height, width) from
          the top left of what is image and not padding.
        """
        shape = item["image"].shape[:2]
        factor = min(new / old for new, old in zip(self.size, shape, strict=True))
        height, width = (max(1, round(side * factor)) for side in shape)
        item = geometry.resized(self.task, item, height, width)
        item = geometry.window(self.task, item, Box(0, 0, *self.size), self.fill)
        return _with_size(item, height, width)
