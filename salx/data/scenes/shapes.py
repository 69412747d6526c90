"""What a thing on the street is: its class, size and colours, and the faces that are seen."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from salx.data.scenes.canvas import Camera, Canvas, Colour, Patch, wall

GLASS, STEEL = (0.16, 0.2, 0.25), (0.4, 0.42, 0.42)
DARK, TYRE = (0.1, 0.1, 0.11), (0.06, 0.06, 0.07)
WHITE, RED, WARM = (1.0, 0.98, 0.9), (0.95, 0.12, 0.08), (1.0, 0.82, 0.5)


class Kind(IntEnum):
    """The classes, in the order of their numbers in a mask."""

    SKY = 0
    ROAD = 1
    MARKING = 2
    PAVEMENT = 3
    BUILDING = 4
    VEGETATION = 5
    POLE = 6
    SIGN = 7
    CAR = 8
    TRUCK = 9
    PEDESTRIAN = 10
    RIDER = 11


class Thing(NamedTuple):
    """One thing: where its nearest face's middle is, its size in metres, its colours.

    `style` in 0..1 picks a variant and where in the noise its texture lies; `lit` is how much
    of it is lit from within (0..1); `facing` is 1 with the traffic on the camera's side, -1
    against it.
    """

    x: float
    z: float
    width: float
    height: float
    colour: Colour
    second: Colour
    style: float
    length: float = 0.0  # along the road
    lit: float = 0.0
    facing: int = 1
    step: float = 0.0  # in -1..1, the phase of a walk


def across(
    camera: Camera, thing: Thing, bottom: float, top: float, scale: float = 1.0
) -> Patch | None:
    """The thing's face towards the camera, widened by `scale`."""
    half = thing.width / 2 * scale
    return wall(camera, (thing.x - half, thing.z), (thing.x + half, thing.z), bottom, top)


def flank(camera: Camera, thing: Thing) -> Patch | None:
    """The thing's side that the camera sees; None where it is straight ahead."""
    lateral, _ = camera.relative(thing.x, thing.z)
    if abs(lateral) <= thing.width / 2:
        return None
    x = thing.x - thing.width / 2 if lateral > 0 else thing.x + thing.width / 2
    ends = (x, thing.z), (x, thing.z + thing.length)
    return wall(camera, *ends[:: thing.facing], 0.0, thing.height)


def between(values: np.ndarray, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    """low <= values < high."""
    return (values >= low) & (values < high)


def disc(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Where (x, y) lies within `radius` of 0."""
    return x * x + y * y < radius * radius


def shadow(canvas: Canvas, camera: Camera, thing: Thing, depth: float = 0.22) -> None:
    """A soft dark spot where the thing touches the ground."""
    if patch := across(camera, thing, -depth, depth, 1.15):
        side = 2 * patch.along - 1
        canvas.darken(patch, side * side + (patch.up / depth) * (patch.up / depth) < 1, 0.55)
