"""Painters of what stands along a road: houses, plants, lamp posts and signs."""

import numpy as np

from salx.data.scenes.canvas import Camera, Canvas, wall
from salx.data.scenes.shapes import (
    DARK,
    GLASS,
    RED,
    STEEL,
    WARM,
    Kind,
    Thing,
    across,
    between,
    disc,
    shadow,
)


def building(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a house with its front towards the road: storeys with windows, some of them lit.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the house; `length` is its front, `width` its depth, `lit` the part of lit windows.
    """
    side = 1 if thing.x > 0 else -1
    face = thing.x - side * thing.width / 2
    back, far = thing.x + side * thing.width / 2, thing.z + thing.length
    facade = canvas.mix(thing.colour, Kind.BUILDING)
    trim = canvas.mix(thing.second, Kind.BUILDING)
    glass = canvas.mix(GLASS, Kind.BUILDING)
    lamp = canvas.mix(WARM, Kind.BUILDING, 0.8)
    bay, storey, offset = 2.0 + 2.5 * thing.style, 2.8 + thing.style, 50 * thing.style
    gable = 2.5 if thing.height < 9 else 0.0
    faces = (
        ((face, thing.z), (back, thing.z), thing.width, 0.75, gable),
        ((face, thing.z), (face, far), thing.length, 1.0 - 0.25 * thing.style, 0.0),
    )
    for start, end, length, bright, peak in faces:
        patch = wall(camera, start, end, 0.0, thing.height + peak)
        if patch is None:
            continue
        bays, storeys = patch.along * (length / bay), patch.up / storey
        top = thing.height + peak * (1 - abs(2 * patch.along - 1))
        stain = canvas.smooth(patch.along * length * 0.7 + offset, patch.up * 0.4)
        grit = canvas.rough(patch.along * length * 6, patch.up * 6 + offset)
        shade = bright * (0.75 + 0.3 * stain + 0.14 * grit)
        canvas.paint(patch, between(patch.up, 0.0, top), facade, shade)
        canvas.paint(patch, between(patch.up, thing.height - 0.4, thing.height), trim, bright)
        canvas.paint(patch, between(patch.up, 0.0, 0.6), trim, bright * 0.7)
        in_bay, in_storey = bays - np.floor(bays), storeys - np.floor(storeys)
        window = between(in_bay, 0.22, 0.78) & between(in_storey, 0.3, 0.82)
        window = window & between(patch.up, 0.6, thing.height - 0.5)
        chance = canvas.rough(bays + offset, np.floor(storeys) * 7 + offset)
        canvas.paint(patch, window & (chance >= thing.lit), glass, 0.6 + 1.2 * chance * bright)
        canvas.paint(patch, window & (chance < thing.lit), lamp, 0.5 + chance)


def tree(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a tree: a trunk and a ragged crown.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the tree; `width` is the crown's, `colour` the leaves', `second` the trunk's.
    """
    leaves = canvas.mix(thing.colour, Kind.VEGETATION)
    base = thing.height - min(thing.width * 1.3, thing.height * 0.8)
    trunk = thing._replace(width=0.12 + 0.03 * thing.height)
    if patch := across(camera, trunk, 0.0, base + 1):
        canvas.paint(
            patch, between(patch.up, 0.0, base + 1), canvas.mix(thing.second, Kind.VEGETATION)
        )
    shadow(canvas, camera, thing._replace(width=thing.width * 0.5), 0.1)
    if patch := across(camera, thing, base, thing.height, 1.2):
        offset = 60 * thing.style
        x = (patch.along - 0.5) * (2.4 * thing.width / 2)
        y = patch.up - (base + thing.height) / 2
        out, over = x / (thing.width / 2), y / ((thing.height - base) / 2)
        ragged = canvas.smooth(x * 1.6 + offset, y * 1.6) - 0.5
        fine = canvas.rough(x * 5 + offset, y * 5)
        crown = out * out + over * over + 1.1 * ragged + 0.3 * fine < 0.95
        canvas.paint(patch, crown, leaves, 0.6 + 0.5 * fine + 0.5 * ragged + 0.22 * over)


def hedge(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a hedge along the road.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the hedge.
    """
    leaves, offset = canvas.mix(thing.colour, Kind.VEGETATION), 60 * thing.style
    ends = (thing.x, thing.z), (thing.x, thing.z + thing.length)
    if patch := wall(camera, *ends, 0.0, thing.height * 1.3):
        x = patch.along * thing.length
        ragged = canvas.smooth(x * 2 + offset, patch.up * 0.0)
        fine = canvas.rough(x * 6 + offset, patch.up * 6)
        inside = between(patch.up, 0.0, thing.height * (0.7 + 0.6 * ragged))
        canvas.paint(patch, inside, leaves, 0.45 + 0.45 * fine + 0.25 * patch.up)


def lamp_post(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a post, with an arm and a lamp over the road where its style has them.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the post; with `style` below 0.6 it has a lamp, which `lit` switches on.
    """
    steel = canvas.mix(thing.colour, Kind.POLE)
    if patch := across(camera, thing, 0.0, thing.height):
        canvas.paint(patch, between(patch.up, 0.0, thing.height), steel, 0.7 + 0.5 * patch.along)
    reach = thing.x - 2.2 if thing.x > 0 else thing.x + 2.2
    ends = (thing.x, thing.z), (reach, thing.z)
    if thing.style < 0.6 and (patch := wall(camera, *ends, thing.height - 0.25, thing.height)):
        canvas.paint(patch, patch.up < thing.height - 0.06, steel, 0.9)
        lamp = canvas.mix(WARM if thing.lit else thing.colour, Kind.POLE, thing.lit)
        canvas.paint(patch, patch.along > 0.65, lamp)


def sign(canvas: Canvas, camera: Camera, thing: Thing) -> None:
    """Paint a post with a plate (a disc, a triangle, a board) or with traffic lights.

    Args:
      canvas: what is painted on.
      camera: what sees it.
      thing: the post; `width` is the plate's, `style` picks what the post carries.
    """
    lights = thing.style > 0.75
    size = 0.5 if lights else thing.width
    if patch := across(camera, thing._replace(width=0.09), 0.0, thing.height):
        steel = canvas.mix(STEEL, Kind.POLE)
        canvas.paint(patch, between(patch.up, 0.0, thing.height), steel)
    tall = 1.1 if lights else size
    plate = across(camera, thing._replace(width=size), thing.height - tall, thing.height)
    if plate is None:
        return
    x, y = (plate.along - 0.5) * size, plate.up - thing.height + tall / 2
    inside = (abs(y) < tall / 2) & (abs(x) < 0.22)
    rim, board = thing.colour, thing.second
    if lights:
        rim = board = DARK
    elif thing.style < 0.3:
        inside = disc(x, y, size / 2)
    elif thing.style < 0.5:
        inside = abs(x) < (size / 2 - y) / 2
    else:
        inside = (abs(y) < tall / 2) & (abs(x) <= size / 2)
    inner = disc(x, y, size * 0.3) | (thing.style >= 0.5) & (abs(y) < tall * 0.36) & inside
    canvas.paint(plate, inside, canvas.mix(rim, Kind.SIGN, 0.15))
    canvas.paint(plate, inside & inner, canvas.mix(board, Kind.SIGN, 0.15))
    if lights:
        height, colour = (0.33, RED) if thing.style < 0.87 else (-0.33, (0.15, 0.9, 0.5))
        canvas.paint(plate, disc(x, y - height, 0.17), canvas.mix(colour, Kind.SIGN, 1.0))
