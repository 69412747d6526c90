"""Drawing of a frame: sky and ground, then all things from far to near, then the light."""

import math

import numpy as np
from jaxtyping import UInt8

from salx.data.scenes import roadside
from salx.data.scenes.canvas import FAR, Camera, Canvas, Colour, Patch
from salx.data.scenes.dice import Dice
from salx.data.scenes.shapes import Kind, between
from salx.data.scenes.weather import Weather
from salx.data.scenes.world import JUNCTION, LANE, REACH, Road, World
from salx.infra import seeds


def _camera(world: World, frame: int, height: int, width: int, dice: Dice) -> Camera:
    """Put the camera where it is in a frame; a car is never quite still on its springs."""
    return Camera(
        height=height,
        width=width,
        x=world.lane + dice.between(-0.04, 0.04),
        z=world.pace * frame,
        eye=world.eye,
        horizon=height * (world.tilt + dice.between(-0.006, 0.006)),
        focal=height * world.focal,
        bend=world.bend,
    )


def _sky(canvas: Canvas, camera: Camera, weather: Weather) -> None:
    """Paint clouds over the whole picture, and a line of far hills before them."""
    rows = (np.arange(camera.height)[:, None] + 0.5 - camera.horizon) / camera.focal
    columns = (np.arange(camera.width)[None] + 0.5 - camera.width / 2) / camera.focal
    canvas.mix(weather.zenith, Kind.SKY, 1.0)
    height = np.minimum(rows, -0.06)
    cloud = canvas.smooth(columns / -height * 1.2, 1.5 / -height)
    canvas.shade[:] = 1 + weather.clouds * (2 * cloud - 1)
    turned = columns * 14 - 200 * camera.bend * 14
    still = turned * 0.0
    ridge = 0.015 + 0.05 * canvas.smooth(turned, still) * canvas.smooth(turned / 5, still)
    everywhere = Patch(np.s_[:, :], columns, rows, np.full((1, camera.width), FAR / 2))
    far = canvas.mix((0.25, 0.3, 0.2), Kind.VEGETATION)
    canvas.paint(everywhere, rows > -ridge, far, 0.8 + 0.4 * canvas.rough(turned * 3, rows * 60))


def _markings(road: Road, x: np.ndarray, z: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """Mark the paint on the road; `pixel` is a pixel's width on the ground, in metres."""
    away, thin, beat = abs(x), np.maximum(0.07, 0.4 * pixel), z / 6 - np.floor(z / 6)
    lines = (away < thin) & ((beat < 0.5) | (not road.dashed))
    for lane in range(1, road.lanes + 1):
        edge = abs(away - lane * LANE) < thin
        lines = lines | (edge & ((beat < 0.4) | (lane == road.lanes)))
    bars = between(z, road.zebra, road.zebra + 3.2) & (away < road.half - 0.3)
    stop = between(z, road.junction - 1.2, road.junction - 0.6) & between(x, 0.0, road.half - 0.3)
    return np.where(bars, x - np.floor(x) < 0.5, lines | stop)


def _ground(canvas: Canvas, camera: Camera, world: World) -> None:
    """Paint grass, pavement, road and markings, each pixel by its (x, z) on the ground."""
    road = world.road
    first = math.ceil(camera.horizon + camera.focal * camera.eye / REACH)
    rows = np.arange(first, camera.height)[:, None] + 0.5
    columns = np.arange(camera.width)[None] + 0.5 - camera.width / 2
    depth = camera.focal * camera.eye / (rows - camera.horizon)
    pixel = depth / camera.focal
    x, z = camera.x + columns * pixel - camera.bend * depth * depth, camera.z + depth
    away, patch = abs(x), Patch(np.s_[first:, :], columns, rows, depth)

    blotch, grit = canvas.smooth(x * 0.6, z * 0.35), canvas.rough(x * 9, z * 9)
    shade = 0.82 + 0.24 * blotch + 0.14 * grit
    paving = canvas.mix(road.flags, Kind.PAVEMENT)
    flag = canvas.rough(np.floor(x / 0.8) * 3, np.floor(z / 0.8) * 5)
    canvas.paint(patch, away >= 0, paving, shade * np.where(flag < 0.5, 0.94, 1.04))
    if road.green:
        grass = canvas.mix((0.27, 0.36, 0.15), Kind.VEGETATION)
        canvas.paint(patch, away >= road.walk, grass, 0.55 + 0.35 * grit + 0.4 * blotch)
    kerb = between(away, road.half, road.half + np.maximum(0.16, 0.5 * pixel))
    canvas.paint(patch, kerb, paving, 1.2 * shade)
    side_street = between(z, road.junction, road.junction + JUNCTION)
    tarmac = canvas.mix((road.tarmac, road.tarmac, road.tarmac * 1.04), Kind.ROAD)
    repair = np.where(canvas.rough(x / 3.3 + 7, z / 5.1) < 0.07, 0.8, 1.0)
    canvas.paint(patch, (away < road.half) | side_street, tarmac, shade * repair)
    line = canvas.mix((0.82, 0.82, 0.78), Kind.MARKING)
    canvas.paint(patch, _markings(road, x, z, pixel) & ~side_street, line, shade)


def _stand(canvas: Canvas, camera: Camera, world: World, frame: int) -> None:
    """Paint houses first, since all else is nearer the road; then the rest from far to near."""
    standing = [(each.draw, each.at(frame)) for each in world.things]
    standing = [(draw, it) for draw, it in standing if it.z < camera.z + REACH - 30]
    standing.sort(key=lambda one: (one[0] is not roadside.building, -one[1].z))
    for draw, thing in standing:
        draw(canvas, camera, thing)


def _mirrored(image: np.ndarray, camera: Camera, share: np.ndarray) -> np.ndarray:
    """Mirror `share` of what stands above the horizon below it."""
    middle = math.floor(camera.horizon) + 1
    rows = np.clip(2 * middle - 1 - np.arange(camera.height), 0, camera.height - 1)
    return image * (1 - share) + image[:, rows] * share


def _blurred(image: np.ndarray) -> np.ndarray:
    """Blur as a lens does: (1, 2, 1) / 4 along rows and along columns, edges repeated."""
    wide = np.pad(image, ((0, 0), (1, 1), (1, 1)), "edge")
    wide = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    return (wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]) / 16


def _channels(colour: Colour) -> np.ndarray:
    """Shape a colour for images float64[3, H, W]: numpy is quickest along long rows."""
    return np.array(colour)[:, None, None]


def _develop(canvas: Canvas, camera: Camera, world: World, grain: np.ndarray) -> np.ndarray:
    """Make uint8[H, W, 3] of what is painted, in this light and weather; grain[3, H, W]."""
    weather, depth, mask = world.weather, canvas.depth, canvas.mask()
    rise = camera.horizon - np.arange(camera.height)[:, None] - 0.5
    rise = np.clip(rise / camera.horizon, 0.0, 1.0)
    skyline = _channels(weather.skyline)
    heaven = skyline * (1 - rise) + _channels(weather.zenith) * rise

    near = depth / 11
    headlamps = 1.4 * weather.lit / (1 + near * near)
    glow = np.array(canvas.glows)[canvas.material]
    light = (_channels(weather.light) + headlamps) * (1 - glow) + glow
    colour = np.array(canvas.colours).T[:, canvas.material]
    image = np.where(mask == Kind.SKY, heaven, colour * light) * canvas.shade
    if weather.wet:
        on_road = (mask == Kind.ROAD) | (mask == Kind.MARKING)
        image = _mirrored(image, camera, np.where(on_road, weather.wet, 0.0))
    far = np.where(mask == Kind.SKY, 0.0, depth / weather.sight)
    clear = 1 / (1 + far * far)
    image = image * clear + skyline * (1 - clear)
    image = np.where(grain[0] < weather.rain, image * 0.75 + 0.2, image)
    noise = (grain - 0.5) * (0.05 + 0.05 * weather.lit)
    image = _blurred(image) * _channels(world.gains) + noise
    pixels = np.floor(np.clip(image, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def draw(
    world: World, seed: int, frame: int, height: int, width: int
) -> tuple[UInt8[np.ndarray, "height width 3"], UInt8[np.ndarray, "height width"]]:
    """Draw a frame of a drive, the same bytes on every machine.

    Args:
      world: the drive.
      seed: the seed of the frame's noise and of the camera's shaking.
      frame: the number of the frame in the drive, from 0.
      height: rows of the picture.
      width: columns of the picture.

    Returns:
      The image, RGB, and the mask, whose values are `Kind`s.
    """
    view = _camera(world, frame, height, width, Dice(seeds.derive(seed, "camera", frame)))
    canvas = Canvas(height, width, world.noise)
    _sky(canvas, view, world.weather)
    _ground(canvas, view, world)
    _stand(canvas, view, world, frame)
    grain = seeds.uniform(height * width * 3, seeds.derive(seed, "grain", frame))
    return _develop(canvas, view, world, grain.reshape(3, height, width)), canvas.mask()
