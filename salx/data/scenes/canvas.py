"""The picture of a camera on a road: upright walls in perspective, painted from far to near.

Everything painted is a material, which has both the colour and the class, so that image and
mask cannot differ. Only operations that IEEE 754 rounds exactly are used (+, -, *, /, floor,
comparisons, on float64 and one at a time): the pixels are the same on every machine.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, UInt8

Colour = tuple[float, float, float]  # red, green, blue in 0..1
NEAR = 1.2  # metres; what is nearer is not seen
FAR = 400.0  # metres; the sky's depth
NOISE = 64  # side of a table of noise, a power of two

# Numbers float64[rows, columns] over a patch, and marks bool[rows, columns] on it; either axis
# may be 1. jaxtyping does not annotate them: tests would check a thousand calls for each frame.
Grid = np.ndarray
Marks = np.ndarray


class Camera(NamedTuple):
    """Describe a pinhole camera on a road along z; x points to the right.

    Attributes:
      height: rows of the picture.
      width: columns of the picture.
      x: where the camera is across the road, in metres from its middle.
      z: where the camera is along the road, in metres.
      eye: the camera's height above the road, in metres.
      horizon: the row of the horizon.
      focal: the focal length, in pixels.
      bend: half of the road's curvature, in 1/m: what is d metres ahead lies bend * d^2 metres
        to the right.
    """

    height: int
    width: int
    x: float
    z: float
    eye: float
    horizon: float
    focal: float
    bend: float

    def relative(self, x: float, z: float) -> tuple[float, float]:
        """Compute where a point of the ground lies, as the camera sees it.

        Args:
          x: metres across the road.
          z: metres along the road.

        Returns:
          Metres to the right of the camera's axis, and metres ahead of it.
        """
        ahead = z - self.z
        return x - self.x + self.bend * ahead * ahead, ahead


class Patch(NamedTuple):
    """Hold the part of the picture that a wall covers, and the wall's coordinates there.

    An array may have 1 in place of an axis along which it does not change.

    Attributes:
      window: the rows and the columns of the picture.
      along: how far along the wall each pixel is, from 0 at its start to 1 at its end.
      up: the height of each pixel above the road, in metres.
      depth: how far ahead of the camera each pixel is, in metres.
    """

    window: tuple[slice, slice]
    along: Float64[np.ndarray, "#rows #columns"]
    up: Float64[np.ndarray, "#rows #columns"]
    depth: Float64[np.ndarray, "#rows #columns"]


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """Give the pixels from low to high, one at least, within 0..size."""
    first = math.floor(low + 0.5)
    return max(first, 0), min(max(math.floor(high + 0.5), first + 1), size)


def wall(
    camera: Camera,
    start: tuple[float, float],
    end: tuple[float, float],
    bottom: float,
    top: float,
) -> Patch | None:
    """Project an upright wall onto the picture.

    1 / depth is linear over the picture's columns, and so is (part of the wall) / depth.

    Args:
      camera: what sees it.
      start: (x, z) on the ground where it begins, in metres.
      end: (x, z) on the ground where it ends, in metres.
      bottom: its lower edge, in metres above the road.
      top: its upper edge, in metres above the road.

    Returns:
      What it covers of the picture; None where it is out of sight.
    """
    (x0, d0), (x1, d1) = camera.relative(*start), camera.relative(*end)
    if max(d0, d1) <= NEAR:
        return None
    a0, a1 = 0.0, 1.0
    if d0 < NEAR:
        a0 = (NEAR - d0) / (d1 - d0)
        x0, d0 = x0 + a0 * (x1 - x0), NEAR
    elif d1 < NEAR:
        a1 = (NEAR - d0) / (d1 - d0)
        x1, d1 = x0 + a1 * (x1 - x0), NEAR
    u0, u1 = (camera.width / 2 + camera.focal * x / d for x, d in ((x0, d0), (x1, d1)))
    rises = [camera.focal * (camera.eye - y) / d for y in (bottom, top) for d in (d0, d1)]
    left, right = _span(min(u0, u1), max(u0, u1), camera.width)
    upper, lower = _span(camera.horizon + min(rises), camera.horizon + max(rises), camera.height)
    if left >= right or upper >= lower:
        return None
    columns = np.arange(left, right)[None] + 0.5
    share = np.clip((columns - u0) / (u1 - u0), 0.0, 1.0) if u0 != u1 else 0.0 * columns
    inverse = (1 - share) / d0 + share / d1
    along = (a0 * (1 - share) / d0 + a1 * share / d1) / inverse
    rows = np.arange(upper, lower)[:, None] + 0.5
    up = camera.eye - (rows - camera.horizon) / (inverse * camera.focal)
    return Patch((slice(upper, lower), slice(left, right)), along, up, 1 / inverse)


class Canvas:
    """Hold a picture that is painted: each pixel's material, its depth and how bright it is.

    Attributes:
      material: int64[H, W], the number of each pixel's material.
      depth: float64[H, W], how far each pixel is from the camera, in metres.
      shade: float64[H, W], what each pixel's colour is multiplied by.
      noise: float64[NOISE, NOISE] in 0..1, the source of all textures.
      colours: the colour of each material.
      classes: the class of each material.
      glows: how much of each material's light is its own, 0..1.
    """

    def __init__(self, height: int, width: int, noise: Float64[np.ndarray, "side side"]):
        self.material = np.zeros((height, width), np.int64)
        self.depth = np.full((height, width), FAR)
        self.shade = np.ones((height, width))
        self.noise = noise
        self.colours, self.classes, self.glows = [], [], []

    def mix(self, colour: Colour, kind: int, glow: float = 0.0) -> int:
        """Mix a new material.

        Args:
          colour: its colour in white light.
          kind: its class, a `Kind`.
          glow: how much of its light is its own: 0 needs light, 1 needs none.

        Returns:
          Its number.
        """
        self.colours.append(colour)
        self.classes.append(kind)
        self.glows.append(glow)
        return len(self.colours) - 1

    def mask(self) -> UInt8[np.ndarray, "height width"]:
        """Make the mask of what is painted.

        Returns:
          Each pixel's class.
        """
        return np.array(self.classes, np.uint8)[self.material]

    def paint(self, patch: Patch, where: Marks, material: int, shade: Grid | float = 1.0) -> None:
        """Cover some pixels of a patch with a material.

        Args:
          patch: what of the picture the wall covers.
          where: the pixels that are covered.
          material: the number of the material.
          shade: how bright they are, as a factor of the material's colour.
        """
        np.copyto(self.material[patch.window], material, where=where)
        np.copyto(self.depth[patch.window], patch.depth, where=where)
        np.copyto(self.shade[patch.window], shade, where=where)

    def darken(self, patch: Patch, where: Marks, factor: float) -> None:
        """Cast a shadow on what is painted already.

        Args:
          patch: what of the picture the shadow can cover.
          where: the pixels that it covers.
          factor: what their brightness is multiplied by.
        """
        shade = self.shade[patch.window]
        np.multiply(shade, factor, out=shade, where=where)

    def _corner(self, x: Grid, y: Grid) -> Grid:
        """Look up the noise in 0..1 at whole-numbered (x, y)."""
        i, j = x.astype(np.int64) & (NOISE - 1), y.astype(np.int64) & (NOISE - 1)
        return self.noise.take(i * NOISE + j)

    def rough(self, x: Grid, y: Grid) -> Grid:
        """Make noise that is constant on each unit cell.

        Args:
          x: the first coordinate of each pixel.
          y: the second one.

        Returns:
          The noise at each pixel, in 0..1.
        """
        return self._corner(np.floor(x), np.floor(y))

    def smooth(self, x: Grid, y: Grid) -> Grid:
        """Make noise that is bilinear between the corners of unit cells.

        Args:
          x: the first coordinate of each pixel.
          y: the second one.

        Returns:
          The noise at each pixel, in 0..1.
        """
        left, low = np.floor(x), np.floor(y)
        s, t = x - left, y - low
        below = self._corner(left, low) * (1 - s) + self._corner(left + 1, low) * s
        above = self._corner(left, low + 1) * (1 - s) + self._corner(left + 1, low + 1) * s
        return below * (1 - t) + above * t
