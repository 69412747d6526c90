"""The transforms that options describe, for training and for evaluation."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from salx.data.crops import (
    CenterCrop,
    Chain,
    Fit,
    Flip,
    Item,
    Jitter,
    PadCrop,
    ResizedCrop,
    ScaleCrop,
    Whole,
)
from salx.data.options import Size, TransformOptions
from salx.infra.errors import ArgumentError
from salx.tasks import Task

Shape = tuple[int, int, int]


class Transforms(NamedTuple):
    """Hold what changes an item before a model gets it; None leaves the item as it is.

    Attributes:
      train: (item, rng) -> item, for the examples of a training.
      evaluate: (item) -> item, for evaluation and scoring.
    """

    train: Callable[[Item, np.random.Generator], Item] | None = None
    evaluate: Callable[[Item], Item] | None = None


def build(
    options: TransformOptions, task: Task, mean: Sequence[float], shape: Sequence[int]
) -> tuple[Transforms, Shape]:
    """Build the transforms that options describe.

    Args:
      options: what the transforms do.
      task: says whether a label moves with the pixels.
      mean: the colour of padding, 0..1 a channel.
      shape: (H, W, C) of the raw images, (0, 0, C) where their sizes differ.

    Returns:
      The transforms, and the (H, W, C) that evaluation gives the model.

    Raises:
      ArgumentError: naming the option that is wrong, or that does not give one size to all.
    """
    options.check()
    size = _final_size("train", "size", options, shape)
    view = _final_size("evaluate", "evaluate_size", options, shape)
    fill = tuple(round(255 * value) for value in mean)
    crops = {
        "none": (),
        "resized_crop": (ResizedCrop(task, size, tuple(options.area)),),
        "scale_crop": (ScaleCrop(task, size, tuple(options.scale), fill),),
        "pad_crop": (PadCrop(task, size, options.pad, fill),),
    }
    views = {
        "none": Whole().map if task.dense else None,
        "center_crop": CenterCrop(task, view, options.evaluate_resize).map,
        "fit": Fit(task, view, fill).map,
    }
    steps: tuple[Any, ...] = crops[options.train]
    steps += (Flip(task),) * options.flip + (Jitter(options.jitter),) * (options.jitter > 0)
    if options.evaluate == "center_crop" and options.evaluate_resize < max(view):
        raise ArgumentError(
            "evaluate_resize",
            f"{{name}}={options.evaluate_resize!r} "
            f"must be at least the larger side of what is cropped, {max(view)}",
        )
    return Transforms(Chain(steps) if steps else None, views[options.evaluate]), (*view, shape[2])


def _final_size(field: str, size: str, options: TransformOptions, shape: Sequence[int]) -> Size:
    """Give (H, W) after the transform of that field; raise ArgumentError if sizes would differ."""
    chosen = tuple(getattr(options, size))
    if getattr(options, field) == "none" or not any(chosen):
        chosen = tuple(shape[:2])
    if not all(chosen):
        wrong = field if getattr(options, field) == "none" else size
        raise ArgumentError(
            wrong,
            f"{{name}}={getattr(options, wrong)!r}: the images differ in size; "
            f"give {{.{field}}} and {{.{size}}}=(H, W)",
        )
    return chosen
