"""What a camera on a road sees: upright walls in perspective, painted from far to near.

Everything painted is a material, which has both the colour and the class, so that image and
mask cannot differ. Only operations that IEEE 754 rounds exactly are used (+, -, *, /, floor,
comparisons, on float64 and one at a time): the pixels are the same on every machine.
"""

import math
from typing import NamedTuple

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue in 0..1
NEAR = 1.2  # metres; what is nearer is not seen
FAR = 400.0  # metres; the sky's depth
NOISE = 64  # side of a table of noise, a power of two


class Camera(NamedTuple):
    """A pinhole camera on a road along z; metres, and pixels for the picture.

    `bend` is the road's curvature / 2 in 1/m: what is d ahead lies bend d^2 to the side.
    """

    height: int
    width: int
    x: float
    z: float
    eye: float  # metres above the road
    horizon: float  # row
    focal: float  # pixels
    bend: float

    def relative(self, x: float, z: float) -> tuple[float, float]:
        """(metres to the right of the camera's axis, metres ahead)."""
        ahead = z - self.z
        return x - self.x + self.bend * ahead * ahead, ahead


class Patch(NamedTuple):
    """The part of the picture that a wall covers."""

    window: tuple[slice, slice]
    along: np.ndarray  # [1, columns], 0 at the wall's start to 1 at its end
    up: np.ndarray  # [rows, columns], metres above the road
    depth: np.ndarray  # [1, columns], metres


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """The pixels from low to high, one at least, within 0..size."""
    first = math.floor(low + 0.5)
    return max(first, 0), min(max(math.floor(high + 0.5), first + 1), size)


def wall(
    camera: Camera,
    start: tuple[float, float],
    end: tuple[float, float],
    bottom: float,
    top: float,
) -> Patch | None:
    """An upright wall over the ground from start to end, each (x, z); None: out of sight.

    1 / depth is linear over the picture's columns, and so is (part of the wall) / depth.
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
    """A picture being painted: each pixel's material, its depth and how bright it is."""

    def __init__(self, height: int, width: int, noise: np.ndarray):
        self.material = np.zeros((height, width), np.int64)
        self.depth = np.full((height, width), FAR)
        self.shade = np.ones((height, width))
        self.noise = noise
        self.colours, self.classes, self.glows = [], [], []

    def mix(self, colour: Colour, kind: int, glow: float = 0.0) -> int:
        """A new material of class `kind`; one that glows (1) needs no light."""
        self.colours.append(colour)
        self.classes.append(kind)
        self.glows.append(glow)
        return len(self.colours) - 1

    def mask(self) -> np.ndarray:
        """Each pixel's class, uint8[H, W]."""
        return np.array(self.classes, np.uint8)[self.material]

    def paint(
        self, patch: Patch, where: np.ndarray, material: int, shade: np.ndarray | float = 1.0
    ) -> None:
        """Covers the pixels of the patch that `where` marks."""
        np.copyto(self.material[patch.window], material, where=where)
        np.copyto(self.depth[patch.window], patch.depth, where=where)
        np.copyto(self.shade[patch.window], shade, where=where)

    def darken(self, patch: Patch, where: np.ndarray, factor: float) -> None:
        """A shadow on what is there."""
        shade = self.shade[patch.window]
        np.multiply(shade, factor, out=shade, where=where)

    def corner(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The noise in 0..1 at whole-numbered (x, y)."""
        i, j = x.astype(np.int64) & (NOISE - 1), y.astype(np.int64) & (NOISE - 1)
        return self.noise.take(i * NOISE + j)

    def rough(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Noise in 0..1, constant on unit cells."""
        return self.corner(np.floor(x), np.floor(y))

    def smooth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Noise in 0..1, linear between the corners of unit cells."""
        left, low = np.floor(x), np.floor(y)
        s, t = x - left, y - low
        below = self.corner(left, low) * (1 - s) + self.corner(left + 1, low) * s
        above = self.corner(left, low + 1) * (1 - s) + self.corner(left + 1, low + 1) * s
        return below * (1 - t) + above * t
