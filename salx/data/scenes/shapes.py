"""Things on a street: their classes, sizes and colours, and the faces that a camera sees."""

from enum import IntEnum
from typing import NamedTuple

from salx.data.scenes.canvas import Camera, Canvas, Colour, Grid, Marks, Patch, wall

GLASS, STEEL = (0.16, 0.2, 0.25), (0.4, 0.42, 0.42)
DARK, TYRE = (0.1, 0.1, 0.11), (0.06, 0.06, 0.07)
WHITE, RED, WARM = (1.0, 0.98, 0.9), (0.95, 0.12, 0.08), (1.0, 0.82, 0.5)


class Kind(IntEnum):
    """Number the classes of a scene, as its mask holds them."""

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
    """Describe a thing on the street, in metres.

    Attributes:
      x: the middle of its nearest face, across the road.
      z: its nearest face, along the road.
      width: its size across the road.
      height: its size above the road.
      colour: its first colour.
      second: its second colour.
      style: a number in 0..1 that picks a variant, and where in the noise its texture lies.
      length: its size along the road.
      lit: how much of it is lit from within, 0..1.
      facing: 1 with the traffic on the camera's side, -1 against it, 0 across the road.
      step: the phase of a walk, -1..1.
    """

    x: float
    z: float
    width: float
    height: float
    colour: Colour
    second: Colour
    style: float
    length: float = 0.0
    lit: float = 0.0
    facing: int = 1
    step: float = 0.0


def across(
    camera: Camera, thing: Thing, bottom: float, top: float, scale: float = 1.0
) -> Patch | None:
    """Project the face that a thing turns towards the camera.

    Args:
      camera: what sees it.
      thing: the thing.
      bottom: the face's lower edge, in metres above the road.
      top: its upper edge, in metres above the road.
      scale: how many times as wide as the thing the face is.

    Returns:
      What it covers of the picture; None where it is out of sight.
    """
    half = thing.width / 2 * scale
    return wall(camera, (thing.x - half, thing.z), (thing.x + half, thing.z), bottom, top)


def flank(camera: Camera, thing: Thing) -> Patch | None:
    """Project the side of a thing that the camera sees, from its rear to its front.

    Args:
      camera: what sees it.
      thing: the thing.

    Returns:
      What the side covers of the picture; None where the thing is straight ahead or out of sight.
    """
    lateral, _ = camera.relative(thing.x, thing.z)
    if abs(lateral) <= thing.width / 2:
        return None
    x = thing.x - thing.width / 2 if lateral > 0 else thing.x + thing.width / 2
    ends = (x, thing.z), (x, thing.z + thing.length)
    return wall(camera, *ends[:: thing.facing], 0.0, thing.height)


def between(values: Grid, low: Grid | float, high: Grid | float) -> Marks:
    """Mark where low <= values < high.

    Args:
      values: the values of the pixels.
      low: the least that is marked, for all pixels or for each.
      high: what is below is marked, likewise.

    Returns:
      The marks.
    """
    return (values >= low) & (values < high)


def disc(x: Grid, y: Grid, radius: float) -> Marks:
    """Mark where x^2 + y^2 < radius^2.

    Args:
      x: the first coordinate of each pixel.
      y: the second one.
      radius: the disc's radius, in the same unit.

    Returns:
      The marks.
    """
    return x * x + y * y < radius * radius


def shadow(canvas: Canvas, camera: Camera, thing: Thing, depth: float = 0.22) -> None:
    """Paint a dark spot where a thing touches the ground.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the thing.
      depth: how far the spot reaches above and below the ground's line, in metres.
    """
    if patch := across(camera, thing, -depth, depth, 1.15):
        side = 2 * patch.along - 1
        canvas.darken(patch, side * side + (patch.up / depth) * (patch.up / depth) < 1, 0.55)
