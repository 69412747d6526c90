"""Synthetic street scenes with masks, drawn by numpy from a seed: not photographs.

A pool of drives, as a fleet of cars brings it home: the frames of a drive are near-duplicates
of each other, some conditions and classes are rare. Nothing is stored; an index gives its
frame alone, the same bytes on every machine (salx/data/scenes).
"""

from typing import Annotated

from salx.data.datasets import Dataset, fingerprint, register
from salx.data.scenes.render import draw
from salx.data.scenes.shapes import Kind
from salx.data.scenes.world import world
from salx.infra import sealed, seeds
from salx.infra.limits import Whole
from salx.tasks.segmentation import Segmentation

Frames = Annotated[int, Whole(1, 1_000_000)]
Side = Annotated[int, Whole(32, 4096)]  # pixels; less is too small to draw

VERSION = 1  # another number where the same options draw other pixels
POOL_FRAMES = range(20)  # of each drive of the pool
VAL_FRAMES = range(0, 20, 4)  # of each drive of validation: more streets to measure on
PALETTE = (
    *((70, 130, 180), (128, 64, 128), (255, 255, 255), (244, 35, 232), (70, 70, 70)),
    *((107, 142, 35), (153, 153, 153), (220, 220, 0), (0, 0, 142), (0, 0, 70)),
    *((220, 20, 60), (255, 0, 0)),
)


class Drives:
    """Give `count` frames: `frames` of the drive `<prefix>_0000`, then of `<prefix>_0001`, ..."""

    def __init__(self, prefix: str, count: int, frames: range, size: tuple[int, int], seed: int):
        self.size, self.seed = size, seed
        self.places = [
            (f"{prefix}_{index // len(frames):04d}", frames[index % len(frames)])
            for index in range(count)
        ]
        self.keys = [f"{drive}/frame_{frame:03d}" for drive, frame in self.places]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int):
        drive, frame = self.places[index]
        seed = seeds.derive(self.seed, "scenes", drive)
        image, mask = draw(world(seed), seed, frame, *self.size)
        return {"image": image, "label": mask}


@register("scenes")
def load(
    pool: Frames = 2000, val: Frames = 500, height: Side = 128, width: Side = 256, seed: int = 0
) -> Dataset:
    """Load street scenes, which are drawn when they are asked for.

    Args:
      pool: how many frames the pool has.
      val: how many frames validation has, of other drives.
      height: rows of a frame, in pixels.
      width: columns of a frame, in pixels.
      seed: decides all drives.

    Returns:
      A segmentation whose classes are the members of `Kind`.
    """
    size = (height, width)
    drives = Drives("drive", pool, POOL_FRAMES, size, seed)
    held_out = Drives("val", val, VAL_FRAMES, size, seed)
    drawn = [array for source in (drives, held_out) for array in source[len(source) // 2].values()]
    options = sealed.canonical({"version": VERSION, "seed": seed, "size": size})
    return Dataset(
        name="scenes",
        task=Segmentation(),
        about="synthetic street scenes, drawn by numpy, not photographed: "
        f"drives of {len(POOL_FRAMES)} frames that resemble each other",
        classes=tuple(kind.name.lower() for kind in Kind),
        pool=drives,
        val=held_out,
        image_shape=(*size, 3),
        mean=(0.349, 0.352, 0.346),
        std=(0.164, 0.167, 0.207),
        fingerprint=fingerprint(
            [*drives.keys, *held_out.keys], options, *(array.tobytes() for array in drawn)
        ),
        palette=PALETTE,
    )
