"""Statistics of what a cycle has picked: its classes, its near-duplicates, a strip of pictures."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from salx.data.datasets import Dataset
from salx.data.decoding import coloured
from salx.data.sources import example
from salx.tasks import Task

SAMPLE = 2000  # of the best picks, that are looked at
SMALL = 16  # pixels of the square grey thumbnails that are compared
NEAR = 4 / 255  # mean difference of two thumbnails, of their range, below which they are near
SHOWN, HEIGHT = 12, 48  # pictures in a strip, and their height in pixels


def describe(dataset: Dataset, ids: Sequence[int]) -> tuple[dict[str, Any], bytes]:
    """Look at the best picks of a cycle.

    Args:
      dataset: what they were picked from.
      ids: of the picks, best first; the first SAMPLE are looked at.

    Returns:
      Plain values, and the first picks as a PNG. The values are "looked_at", how many picks;
      "classes", how many labels, or pixels, of each class are among them, None for a pool without
      labels; "pool_classes", the same of the whole pool, None where its labels are not in memory;
      "near_duplicates", the share of the picks that are near another.

    Raises:
      RunError: for an example that cannot be read.
    """
    items = [example(dataset.pool, index) for index in ids[:SAMPLE]]
    grey = [item["image"].mean(-1).astype(np.float32) for item in items]
    thumbs = [cv2.resize(image, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for image in grey]
    labelled = all("label" in item for item in items)
    task, classes = dataset.task, len(dataset.classes)
    labels = None if task.dense else getattr(dataset.pool, "labels", None)  # they lie in memory
    statistics = {
        "looked_at": len(items),
        "classes": counts(task, items, classes) if labelled else None,
        "pool_classes": None if labels is None else task.counts(labels, classes).tolist(),
        "near_duplicates": near(np.stack(thumbs) / 255),
    }
    return statistics, _strip([item["image"] for item in items[:SHOWN]])


def counts(task: Task, items: Sequence[dict], classes: int) -> list[int]:
    """Count the labels, of images or of pixels, of each class.

    Args:
      task: what the labels are of.
      items: examples with a "label".
      classes: how many there are.

    Returns:
      A number for each class.
    """
    total = np.zeros(classes, np.int64)
    for item in items:
        total += task.counts(item["label"], classes)
    return total.tolist()


def near(thumbs: Float[np.ndarray, "n side side"]) -> float:
    """Tell the share of thumbnails that are near another one.

    Two are near where the mean of their absolute differences is below NEAR.

    Args:
      thumbs: grey, in 0..1.

    Returns:
      From 0 to 1.
    """
    flat = thumbs.reshape(len(thumbs), -1)
    gaps = cdist(flat, flat, "cityblock") / flat.shape[1]
    np.fill_diagonal(gaps, np.inf)
    return float((gaps < NEAR).any(1).mean())


def _strip(images: Sequence[np.ndarray]) -> bytes:
    """Images uint8[h, w, c] side by side at one height, a PNG."""
    tiles = []
    for image in images:
        height, width = image.shape[:2]
        how = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_NEAREST
        size = (max(1, round(width * HEIGHT / height)), HEIGHT)
        tile = cv2.resize(image, size, interpolation=how).reshape(HEIGHT, size[0], -1)
        tiles.append(coloured(tile)[..., ::-1])
    return cv2.imencode(".png", np.hstack(tiles))[1].tobytes()
