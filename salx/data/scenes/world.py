"""One drive: a road, the weather, and what stands and moves along it, all drawn from a seed."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from salx.data.scenes import roadside, shapes, traffic
from salx.data.scenes.canvas import NOISE, Camera, Canvas, Colour
from salx.data.scenes.dice import CLOTHES, LEAVES, PAINTS, PLASTERS, PLATES, Dice
from salx.data.scenes.shapes import Thing
from salx.data.scenes.weather import WEATHERS, Weather
from salx.infra import seeds

LANE = 3.2  # metres
REACH = 130.0  # metres of street ahead of a drive's first frame
JUNCTION = 8.5  # metres, the width of a side street
STRIDE = 1.1  # metres of a walk from one step to the next but one


class Road(NamedTuple):
    """Describe a street's cross-section, in metres from its middle, and what lies across it.

    Attributes:
      lanes: how many lanes there are on each side.
      half: the distance to the kerb.
      walk: the distance to the pavement's far edge.
      front: the distance to the houses.
      green: whether grass lies beyond the pavement; else more pavement does.
      dashed: whether the middle line is dashed.
      zebra: the z of a zebra crossing; negative, behind the camera, for none.
      junction: the z of a side street; negative, behind the camera, for none.
      tarmac: the part of light that the road reflects.
      flags: the pavement's colour.
    """

    lanes: int
    half: float
    walk: float
    front: float
    green: bool
    dashed: bool
    zebra: float
    junction: float
    tarmac: float
    flags: Colour


class Moving(NamedTuple):
    """Hold a thing, how it is painted, and how it moves.

    Attributes:
      draw: (canvas, camera, thing), paints the thing.
      thing: the thing, where it is at frame 0.
      pace: metres that it moves along the road from a frame to the next.
      sideways: metres that it moves across the road, likewise.
    """

    draw: Callable[[Canvas, Camera, Thing], None]
    thing: Thing
    pace: float = 0.0
    sideways: float = 0.0

    def at(self, frame: int) -> Thing:
        """Move the thing to where it is in a frame.

        Args:
          frame: the number of the frame in the drive.

        Returns:
          The thing there, in the phase of its walk that its way so far gives.
        """
        x, z = self.thing.x + self.sideways * frame, self.thing.z + self.pace * frame
        way = (self.pace + self.sideways) * frame / STRIDE + self.thing.style
        step = 4 * abs(way - np.floor(way) - 0.5) - 1
        return self.thing._replace(x=x, z=z, step=step)


class World(NamedTuple):
    """Describe a drive: all that does not change from frame to frame.

    Attributes:
      weather: the light, the sky and the air.
      gains: the camera's exposure and white balance, a factor for each channel.
      noise: the source of all textures, 0..1.
      road: the street.
      things: what stands and moves along it.
      lane: the x of the camera, in metres.
      pace: metres that the camera moves from a frame to the next.
      eye: the camera's height above the road, in metres.
      tilt: the row of the horizon, as a part of the picture's height.
      focal: the focal length, as a part of the picture's height.
      bend: half of the road's curvature, in 1/m.
    """

    weather: Weather
    gains: Colour
    noise: Float64[np.ndarray, "side side"]
    road: Road
    things: tuple[Moving, ...]
    lane: float
    pace: float
    eye: float
    tilt: float
    focal: float
    bend: float


def _road(dice: Dice) -> Road:
    """Draw a street of two to four lanes, often with room to park."""
    lanes = 1 if dice.chance(0.7) else 2
    half = lanes * LANE + (2.2 if dice.chance(0.6) else 0.4)
    walk = half + dice.between(1.6, 4.0)
    green = dice.chance(0.45)
    return Road(
        lanes=lanes,
        half=half,
        walk=walk,
        front=walk + (dice.between(2, 9) if green else dice.between(0.0, 1.5)),
        green=green,
        dashed=dice.chance(0.7),
        zebra=dice.between(10, 60) if dice.chance(0.3) else -50.0,
        junction=dice.between(20, 90) if dice.chance(0.5) else -50.0,
        tarmac=dice.between(0.24, 0.42),
        flags=dice.tint((0.52, 0.5, 0.48), 0.2),
    )


def _houses(dice: Dice, road: Road, weather: Weather) -> Iterator[Moving]:
    """Draw both sides' houses, with gaps, and none where the side street is."""
    full, tall = dice.between(0.55, 1.0), dice.between(0, 1)
    for side in (-1, 1):
        z = dice.between(-12, 0)
        while z < REACH:
            length, depth = dice.between(9, 22), dice.between(8, 14)
            height = dice.between(5, 8) if tall < 0.4 else dice.between(8, 12 + 14 * tall)
            free = z + length < road.junction or z > road.junction + JUNCTION
            if free and dice.chance(full):
                yield Moving(
                    roadside.building,
                    Thing(
                        x=side * (road.front + depth / 2),
                        z=z,
                        length=length,
                        width=depth,
                        height=height,
                        colour=dice.tint(dice.pick(PLASTERS)),
                        second=dice.tint((0.4, 0.36, 0.33), 0.4),
                        style=dice.between(0, 1),
                        lit=weather.lit,
                    ),
                )
            z += length + (0.0 if dice.chance(0.6) else dice.between(1, 8))


def _plants(dice: Dice, road: Road) -> Iterator[Moving]:
    """Draw trees, on the pavement or on grass behind it, and hedges where there is grass."""
    spacing = dice.pick((8.0, 14.0, 25.0, 60.0))
    leaf = dice.pick(LEAVES)
    for side in (-1, 1):
        z = dice.between(2, spacing)
        while z < REACH:
            x = road.half + 0.7 if not road.green else dice.between(road.walk, road.front)
            width = dice.between(2.5, 5.5)
            size = {"width": width, "height": dice.between(1.2, 1.9) * width}
            colours = {"colour": dice.tint(leaf, 0.25), "second": dice.tint((0.26, 0.2, 0.15))}
            tree = Thing(x=side * x, z=z, **size, **colours, style=dice.between(0, 1))
            yield Moving(roadside.tree, tree)
            if road.green and dice.chance(0.3):
                low = {"length": dice.between(3, 9), "width": 0.5, "height": dice.between(0.7, 1.5)}
                x, style = side * (road.walk + 0.4), dice.between(0, 1)
                yield Moving(roadside.hedge, Thing(x=x, z=z, **low, **colours, style=style))
            z += spacing * dice.between(0.6, 1.4)


def _posts(dice: Dice, road: Road, weather: Weather) -> Iterator[Moving]:
    """Draw lamp posts in a row, and signs where chance puts them."""
    for side in (-1, 1):
        z, spacing = dice.between(4, 20), dice.between(18, 40)
        post = Thing(
            x=side * (road.half + 0.5),
            z=z,
            width=0.16,
            height=dice.between(5, 8),
            colour=dice.tint(shapes.STEEL, 0.3),
            second=shapes.STEEL,
            style=dice.between(0, 1),
            lit=1.0 if weather.lit > 0.2 else 0.0,
        )
        while z < REACH:
            yield Moving(roadside.lamp_post, post._replace(z=z))
            z += spacing
        for _ in range(int(dice.between(0, 4))):
            colour, second = dice.pick(PLATES)
            plate = Thing(
                x=side * (road.half + 0.4),
                z=dice.between(8, 90),
                width=dice.between(0.6, 1.0),
                height=dice.between(2.4, 3.4),
                colour=colour,
                second=second,
                style=dice.between(0, 1),
            )
            yield Moving(roadside.sign, plate)


def _vehicle(dice: Dice, x: float, z: float, facing: int, lit: float) -> Moving:
    """Draw a car, or more rarely a truck, that stands."""
    common = {"x": x, "z": z, "facing": facing, "lit": lit, "second": dice.tint(dice.pick(PAINTS))}
    style, colour = dice.between(0, 1), dice.tint(dice.pick(PAINTS))
    if style < 0.1:
        size = {"length": dice.between(6, 10), "width": 2.4, "height": dice.between(2.8, 3.7)}
        return Moving(traffic.truck, Thing(**common, **size, colour=colour, style=style))
    size = {"length": dice.between(3.7, 4.8), "width": 1.8, "height": dice.between(1.38, 1.85)}
    return Moving(traffic.car, Thing(**common, **size, colour=colour, style=style))


def _vehicles(dice: Dice, road: Road, weather: Weather, pace: float) -> Iterator[Moving]:
    """Draw parked cars at the kerbs, and on the lanes those ahead and those that come."""
    on = 1.0 if weather.lit > 0.1 else 0.0
    room, busy = road.half - road.lanes * LANE, dice.between(0.2, 1.0)
    for side in (-1, 1):
        z = dice.between(3, 12)
        while z < 90 and room > 1:
            if dice.chance(busy * 0.6):
                yield _vehicle(dice, side * (road.half - 1.05), z, side, 0.0)
            z += dice.between(5.5, 8)
        for lane in range(road.lanes):
            z, start = dice.between(9, 40), (lane + 0.5) * LANE * side
            speed = pace * dice.between(0.9, 1.2) if side > 0 else -dice.between(0.4, 1.2)
            while z < REACH:
                if dice.chance(busy * 0.7):
                    x = start + dice.between(-0.3, 0.3)
                    yield _vehicle(dice, x, z, side, on)._replace(pace=speed)
                z += dice.between(12, 45)


def _people(dice: Dice, road: Road) -> Iterator[Moving]:
    """Draw people on pavements, on the zebra crossing and on bicycles; most streets have few."""
    crowd = dice.pick((0, 1, 2, 3, 5, 9))
    for _ in range(crowd):
        side = dice.pick((-1, 1))
        crossing = road.zebra > 0 and dice.chance(0.35)
        x = dice.between(-4, 4) if crossing else side * dice.between(road.half + 0.6, road.walk)
        z = road.zebra + dice.between(0.5, 3) if crossing else dice.between(5, 60)
        along, over = (0.0, -0.11 * side) if crossing else (dice.pick((-0.12, 0.12, 0.0)), 0.0)
        size = {"width": 0.5, "height": dice.between(1.5, 1.9)}
        colours = {"colour": dice.tint(dice.pick(CLOTHES)), "second": dice.tint(dice.pick(CLOTHES))}
        walker = Thing(x=x, z=z, **size, **colours, style=dice.between(0, 1))
        yield Moving(traffic.pedestrian, walker, along, over)
    for _ in range(dice.pick((0, 0, 0, 1, 2))):
        facing = dice.pick((-1, 1, 1, 0))
        x, z = (facing or -1) * (road.lanes * LANE - 0.6), dice.between(7, 45)
        size = {"width": 0.6, "height": dice.between(1.6, 1.8)}
        colours = {"colour": dice.tint(dice.pick(CLOTHES)), "second": dice.tint(dice.pick(PAINTS))}
        cyclist = Thing(x=x, z=z, **size, **colours, style=dice.between(0, 1), facing=facing)
        yield Moving(traffic.rider, cyclist, 0.35 * facing, 0.0 if facing else 0.2)


def world(seed: int) -> World:
    """Draw a drive: its weather, its street, and where everything is at frame 0.

    Args:
      seed: decides all of it.

    Returns:
      The drive.
    """
    dice = Dice(seed)
    draw = dice.between(0, 1)
    weather = next(kind for until, kind in WEATHERS if draw < until)
    exposure = dice.between(0.85, 1.15)
    street = _road(dice)
    pace = 0.0 if dice.chance(0.2) else dice.between(0.25, 1.3)
    corner = street.junction + JUNCTION
    rooted = (*_plants(dice, street), *_posts(dice, street, weather))
    things = (
        *_houses(dice, street, weather),
        *(each for each in rooted if not street.junction <= each.thing.z < corner),
        *_vehicles(dice, street, weather, pace),
        *_people(dice, street),
    )
    return World(
        weather=weather,
        gains=tuple(exposure * dice.between(0.94, 1.06) for _ in range(3)),
        noise=seeds.uniform(NOISE * NOISE, seeds.derive(seed, "noise")).reshape(NOISE, NOISE),
        road=street,
        things=things,
        lane=(int(dice.between(0, street.lanes)) + 0.5) * LANE + dice.between(-0.3, 0.3),
        pace=pace,
        eye=dice.between(1.3, 1.8),
        tilt=dice.between(0.38, 0.5),
        focal=dice.between(0.95, 1.3),
        bend=dice.between(-1, 1) * dice.between(0, 1) * 2.5e-3,
    )
