"""Painters of what moves on a street: cars, trucks, people on foot and on bicycles."""

import numpy as np

from salx.data.scenes.canvas import Camera, Canvas, Colour, Patch
from salx.data.scenes.shapes import (
    DARK,
    GLASS,
    RED,
    TYRE,
    WHITE,
    Kind,
    Thing,
    across,
    between,
    disc,
    flank,
    shadow,
)


def _lights(thing: Thing) -> Colour:
    """Choose the colour of a vehicle's lamps on the face that the camera sees."""
    return RED if thing.facing > 0 else WHITE


def car(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint the end and the side of a car that are towards the camera.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the car; `lit` is how much its lamps are on.
    """
    shadow(canvas, camera, thing)
    body, glass = canvas.mix(thing.colour, Kind.CAR), canvas.mix(GLASS, Kind.CAR)
    tyre, plate = canvas.mix(TYRE, Kind.CAR), canvas.mix((0.8, 0.8, 0.72), Kind.CAR)
    lamp = canvas.mix(_lights(thing), Kind.CAR, 0.35 + 0.65 * thing.lit)
    waist, top = 0.56 * thing.height, thing.height
    if patch := flank(camera, thing):
        x, y = patch.along * thing.length, patch.up
        slope = np.minimum((patch.along - 0.02) / 0.16, (0.86 - patch.along) / 0.24)
        roof = waist + (top - waist) * np.minimum(slope, 1.0)
        canvas.paint(patch, between(y, 0.24, np.maximum(roof, waist)), body, 0.7 + 0.2 * y)
        panes = between(y, waist + 0.04, roof - 0.12) & (abs(patch.along - 0.42) > 0.012)
        canvas.paint(patch, panes, glass)
        for wheel in (0.19, 0.81):
            canvas.paint(patch, disc(x - wheel * thing.length, y - 0.33, 0.33), tyre)
            canvas.paint(patch, disc(x - wheel * thing.length, y - 0.33, 0.17), tyre, 5.0)
    if patch := across(camera, thing, 0.0, top):
        side, y = abs(2 * patch.along - 1), patch.up
        taper = 1 - 0.24 * (y - waist) / (top - waist)
        canvas.paint(patch, between(y, 0.0, 0.4) & between(side, 0.62, 0.94), tyre)
        canvas.paint(patch, between(y, 0.24, waist), body, 0.75 + 0.3 * y)
        canvas.paint(patch, between(y, waist, top) & (side < taper), body, 1.1)
        canvas.paint(patch, between(y, waist + 0.05, top - 0.14) & (side < taper - 0.14), glass)
        canvas.paint(patch, between(y, 0.24, 0.4), body, 0.45)
        canvas.paint(
            patch, between(y, waist - 0.26, waist - 0.06) & between(side, 0.68, 0.97), lamp
        )
        canvas.paint(patch, between(y, 0.42, 0.55) & (side < 0.24), plate)


def truck(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a truck: a box on a chassis, with a cab at the front.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the truck; `colour` is the box's, `second` the cab's.
    """
    shadow(canvas, camera, thing, 0.3)
    box, cab = canvas.mix(thing.colour, Kind.TRUCK), canvas.mix(thing.second, Kind.TRUCK)
    dark, glass = canvas.mix(DARK, Kind.TRUCK), canvas.mix(GLASS, Kind.TRUCK)
    lamp = canvas.mix(_lights(thing), Kind.TRUCK, 0.35 + 0.65 * thing.lit)
    top = thing.height
    if patch := flank(camera, thing):
        x, y, a = patch.along * thing.length, patch.up, patch.along
        canvas.paint(patch, between(y, 0.45, 0.95) & (a < 0.97), dark)
        ribs = 0.8 + 0.1 * canvas.rough(x * 1.5, y * 0.0)
        canvas.paint(patch, between(y, 0.95, top) & (a < 0.76), box, ribs)
        canvas.paint(patch, between(y, 0.6, top * 0.84) & (a >= 0.79), cab, 0.85)
        canvas.paint(patch, between(y, top * 0.52, top * 0.74) & between(a, 0.84, 0.96), glass)
        for wheel in (0.12, 0.24, 0.87):
            canvas.paint(patch, disc(x - wheel * thing.length, y - 0.48, 0.48), dark, 0.6)
    if patch := across(camera, thing, 0.0, top):
        side, y = abs(2 * patch.along - 1), patch.up
        canvas.paint(patch, between(y, 0.0, 0.9) & between(side, 0.55, 0.92), dark, 0.6)
        canvas.paint(patch, between(y, 0.5, 0.95), dark)
        if thing.facing > 0:
            canvas.paint(patch, between(y, 0.95, top), box, 0.95)
            frame = (side < 0.02) | (side > 0.93) | (y > top - 0.15)
            canvas.paint(patch, frame & between(y, 0.95, top), box, 0.6)
        else:
            canvas.paint(patch, between(y, 0.6, top * 0.9), cab)
            canvas.paint(patch, between(y, top * 0.5, top * 0.76) & (side < 0.88), glass)
        canvas.paint(patch, between(y, 0.62, 0.85) & between(side, 0.72, 0.97), lamp)


def _person(
    canvas: Canvas, patch: Patch, x: np.ndarray, thing: Thing, kind: Kind, hips: float
) -> None:
    """Paint a body above the hips: trunk, arms and head; x is in metres from its middle."""
    y, top = patch.up, thing.height
    skin = canvas.mix((0.35 + 0.5 * thing.style, 0.24 + 0.42 * thing.style, 0.3), kind)
    coat = canvas.mix(thing.colour, kind)
    shoulders = 0.24 - 0.5 * np.maximum(y - (top - 0.38), 0.0)
    canvas.paint(patch, between(y, hips, top - 0.24) & (abs(x) < shoulders), coat, 0.9)
    canvas.paint(patch, between(y, hips, top - 0.3) & between(abs(x), 0.17, 0.24), coat, 0.7)
    canvas.paint(patch, disc(x, y - (top - 0.13), 0.13), skin)
    hair = disc(x, y - (top - 0.12), 0.13) & (y > top - 0.1)
    canvas.paint(patch, hair, canvas.mix(DARK, kind), 0.5 + 3 * thing.style)


def pedestrian(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a person on foot, in the middle of a step.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the person; `colour` is the coat's, `second` the legs'.
    """
    shadow(canvas, camera, thing._replace(width=0.6), 0.12)
    if patch := across(camera, thing._replace(width=0.9), 0.0, thing.height):
        x, y = (patch.along - 0.5) * 0.9, patch.up
        hips = 0.5 * thing.height
        swing = thing.step * 0.32 * (hips - y) / hips
        for leg in (swing + 0.07, -swing - 0.07):
            legs = between(y, 0.0, hips) & (abs(x - leg) < 0.085)
            canvas.paint(patch, legs, canvas.mix(thing.second, Kind.PEDESTRIAN), 0.8)
        _person(canvas, patch, x, thing, Kind.PEDESTRIAN, hips)


def rider(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a person on a bicycle, along the road (facing 1 or -1) or across it (0).

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the rider; `second` is the bicycle's colour.
    """
    wide = 0.9 if thing.facing else 1.9
    shadow(canvas, camera, thing._replace(width=wide * 0.7), 0.12)
    patch = across(camera, thing._replace(width=wide), 0.0, thing.height)
    if patch is None:
        return
    x, y = (patch.along - 0.5) * wide, patch.up
    frame, tyre = canvas.mix(thing.second, Kind.RIDER), canvas.mix(TYRE, Kind.RIDER)
    if thing.facing:
        canvas.paint(patch, between(y, 0.0, 0.75) & (abs(x) < 0.07), tyre)
        canvas.paint(patch, between(y, 0.98, 1.06) & (abs(x) < 0.32), frame)
        for leg in (-0.14, 0.14):
            canvas.paint(
                patch, between(y, 0.25 + leg * thing.step, 1.0) & (abs(x - leg) < 0.08), frame
            )
        _person(canvas, patch, x, thing, Kind.RIDER, 0.85)
        return
    for wheel in (-0.55, 0.55):
        ring = disc(x - wheel, y - 0.36, 0.36) & ~disc(x - wheel, y - 0.36, 0.27)
        canvas.paint(patch, ring, tyre)
    canvas.paint(patch, between(y, 0.3, 0.42) & (abs(x) < 0.5), frame)
    canvas.paint(patch, between(y, 0.36, 1.0) & (abs(x - 0.45 + 0.2 * (y - 0.36)) < 0.05), frame)
    canvas.paint(
        patch, between(y, 0.35, 0.95) & (abs(x + 0.1 - 0.1 * thing.step) < 0.1), frame, 0.7
    )
    _person(canvas, patch, x + 0.2 - 0.3 * (y - 0.9), thing, Kind.RIDER, 0.85)
