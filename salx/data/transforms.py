"""What happens to an item between its source and its batch: pixels stay uint8, an image and its
mask move together, and all randomness comes from the generator that is handed in."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import grain
import numpy as np

from salx.data import geometry
from salx.data.geometry import Box
from salx.data.options import TRANSFORM
from salx.infra.errors import InputError, unknown
from salx.tasks import Task

LUMA = np.array([0.299, 0.587, 0.114])  # grey of RGB, ITU-R BT.601
TRAIN = ("none", "resized_crop", "scale_crop", "pad_crop")
EVALUATE = ("none", "center_crop", "fit")
RATIO = (3 / 4, 4 / 3)  # width to height of a resized crop

Size = tuple[int, int]
Item = dict[str, Any]


class Transforms(NamedTuple):
    """Of a training's examples and of an evaluation's; None leaves the item as it is."""

    train: Callable[[Item, np.random.Generator], Item] | None = None
    evaluate: Callable[[Item], Item] | None = None


@dataclass(frozen=True)
class ResizedCrop(grain.transforms.RandomMap):
    """A window of a random share of the image's area and of random shape, scaled to `size`.

    C. Szegedy et al., "Going deeper with convolutions", CVPR 2015, section 6; ten draws, then
    the whole image, as far as RATIO allows.
    """

    task: Task
    size: Size
    area: tuple[float, float]

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
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
    """The image scaled by a random factor, padded below and right to `size`, cropped to it.

    L.-C. Chen et al., "Rethinking atrous convolution for semantic image segmentation", 2017,
    section 4.1. Only the part that is kept is scaled.
    """

    task: Task
    size: Size
    scale: tuple[float, float]
    fill: tuple[int, ...]

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        h, w = item["image"].shape[:2]
        factor = rng.uniform(*self.scale)
        height, width = (max(1, round(side / factor)) for side in self.size)
        top = rng.integers(max(h, height) - height + 1)
        left = rng.integers(max(w, width) - width + 1)
        item = geometry.window(self.task, item, Box(top, left, height, width), self.fill)
        return geometry.resized(self.task, item, *self.size)


@dataclass(frozen=True)
class PadCrop(grain.transforms.RandomMap):
    """The image with `pad` pixels around it, cropped to `size`.

    K. He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2.
    """

    task: Task
    size: Size
    pad: int
    fill: tuple[int, ...]

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        top, left = (
            rng.integers(max(old + 2 * self.pad - new, 0) + 1) - self.pad
            for old, new in zip(item["image"].shape, self.size, strict=False)
        )
        return geometry.window(self.task, item, Box(top, left, *self.size), self.fill)


@dataclass(frozen=True)
class Flip(grain.transforms.RandomMap):
    """Left to right, every other time."""

    task: Task

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        if rng.random() < 0.5:
            return item
        return self.task.move(item, lambda image: image[:, ::-1], lambda mask: mask[:, ::-1])


@dataclass(frozen=True)
class Jitter(grain.transforms.RandomMap):
    """Brightness, contrast and saturation, each by a factor from 1 - strength to 1 + strength.

    With x a colour, g(x) its grey and m the image's mean grey, x -> b x, then c x + (1 - c) m,
    then s x + (1 - s) g(x): one affine map of x, rounded and clipped once, to within 1.
    """

    strength: float

    def random_map(self, item: Item, rng: np.random.Generator) -> Item:
        b, c, s = rng.uniform(1 - self.strength, 1 + self.strength, 3)
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
    """Random maps one after the other, on one generator."""

    steps: tuple[grain.transforms.RandomMap, ...]

    def __call__(self, item: Item, rng: np.random.Generator) -> Item:
        for step in self.steps:
            item = step.random_map(item, rng)
        return item


def with_size(item: Item, height: int, width: int) -> Item:
    """An item with "size" int32[2], the (h, w) of the part of it that is image."""
    return {**item, "size": np.array([height, width], np.int32)}


@dataclass(frozen=True)
class Whole(grain.transforms.Map):
    """The image as it is."""

    def map(self, item: Item) -> Item:
        return with_size(item, *item["image"].shape[:2])


@dataclass(frozen=True)
class CenterCrop(grain.transforms.Map):
    """The image scaled to a short side of `side` pixels, and the middle of it."""

    task: Task
    size: Size
    side: int

    def map(self, item: Item) -> Item:
        shape = geometry.short_side(item["image"].shape, self.side)
        item = geometry.resized(self.task, item, *shape)
        h, w = item["image"].shape[:2]
        height, width = self.size
        middle = Box((h - height) // 2, (w - width) // 2, height, width)
        return with_size(geometry.window(self.task, item, middle), height, width)


@dataclass(frozen=True)
class Fit(grain.transforms.Map):
    """The image scaled, its ratio kept, to fill `size` in one direction; padded below or right."""

    task: Task
    size: Size
    fill: tuple[int, ...]

    def map(self, item: Item) -> Item:
        shape = item["image"].shape[:2]
        factor = min(new / old for new, old in zip(self.size, shape, strict=True))
        height, width = (max(1, round(side * factor)) for side in shape)
        item = geometry.resized(self.task, item, height, width)
        item = geometry.window(self.task, item, Box(0, 0, *self.size), self.fill)
        return with_size(item, height, width)


class Options(NamedTuple):
    """The fields of config.transform, which salx.config explains."""

    train: str
    size: Size
    area: tuple[float, float]
    scale: tuple[float, float]
    pad: int
    flip: bool
    jitter: float
    evaluate: str
    evaluate_size: Size
    evaluate_resize: int


def build(
    config: Mapping[str, Any], task: Task, mean: Sequence[float], shape: Sequence[int]
) -> tuple[Transforms, tuple[int, int, int]]:
    """The transforms that `config.transform` describes, and the (H, W, C) that evaluation sees.

    `shape` is that of the raw images, (0, 0, C) where their sizes differ; what is padded gets
    the colour `mean`, of 0..1. Raises InputError naming the field.
    """
    for field in config:
        if field not in Options._fields:
            raise unknown("field of config.transform", field, Options._fields)
    options = Options(**{**TRANSFORM, **config})
    check(options)
    size = final_size("train", "size", options, shape)
    seen = final_size("evaluate", "evaluate_size", options, shape)
    fill = tuple(round(255 * value) for value in mean)
    crops = {
        "none": (),
        "resized_crop": (ResizedCrop(task, size, tuple(options.area)),),
        "scale_crop": (ScaleCrop(task, size, tuple(options.scale), fill),),
        "pad_crop": (PadCrop(task, size, options.pad, fill),),
    }
    views = {
        "none": Whole().map if task.dense else None,
        "center_crop": CenterCrop(task, seen, options.evaluate_resize).map,
        "fit": Fit(task, seen, fill).map,
    }
    steps = crops[options.train]
    steps += (Flip(task),) * options.flip + (Jitter(options.jitter),) * (options.jitter > 0)
    evaluate = views[options.evaluate]
    if options.evaluate == "center_crop" and options.evaluate_resize < max(seen):
        raise InputError(
            f"config.transform.evaluate_resize={options.evaluate_resize!r} "
            f"must be at least the larger side of what is cropped, {max(seen)}"
        )
    return Transforms(Chain(steps) if steps else None, evaluate), (*seen, shape[2])


def final_size(field: str, size: str, options: Options, shape: Sequence[int]) -> Size:
    """(H, W) after the transform of that field. Raises InputError if it is not a single one."""
    chosen = tuple(getattr(options, size))
    if getattr(options, field) == "none" or not any(chosen):
        chosen = tuple(shape[:2])
    if not all(chosen):
        name = getattr(options, field)
        wanted = f"{field}={name!r}" if name == "none" else f"{size}={getattr(options, size)!r}"
        raise InputError(
            f"config.transform.{wanted}: the images differ in size; "
            f"give config.transform.{field} and config.transform.{size}=(H, W)"
        )
    return chosen


def check(options: Options) -> None:
    """Names, types and ranges. Raises InputError naming the field."""

    def require(sound: bool, field: str, rule: str) -> None:
        if not sound:
            raise InputError(f"config.transform.{field}={getattr(options, field)!r} {rule}")

    def pair(value, kind) -> bool:
        return (
            isinstance(value, tuple | list)
            and len(value) == 2
            and all(isinstance(part, kind) for part in value)
        )

    for field, known in (("train", TRAIN), ("evaluate", EVALUATE)):
        if getattr(options, field) not in known:
            raise unknown(f"config.transform.{field}", str(getattr(options, field)), known)
    for field in ("size", "evaluate_size"):
        value = getattr(options, field)
        sound = pair(value, int) and (min(value) > 0 or not any(value))
        require(sound, field, "must be (H, W) in pixels")
    for field in ("area", "scale"):
        value = getattr(options, field)
        sound = pair(value, int | float) and 0 < value[0] <= value[1]
        require(sound, field, "must be (low, high), above 0")
    require(options.area[1] <= 1, "area", "is a share, at most 1")
    for field in ("pad", "evaluate_resize"):
        value = getattr(options, field)
        require(isinstance(value, int) and value >= 0, field, "must be a whole number of pixels")
    require(isinstance(options.flip, bool), "flip", "must be True or False")
    sound = isinstance(options.jitter, int | float) and 0 <= options.jitter < 1
    require(sound, "jitter", "must be from 0 to below 1")
