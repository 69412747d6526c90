"""Sheets: pictures of the first picks, with the map of their scores where pixels are scored."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import jinja2
import numpy as np
from jaxtyping import Float32

from salx.data.datasets import Dataset
from salx.data.decoding import coloured
from salx.infra import mesh
from salx.policies import Policy, ScorePolicy
from salx.scoring.engine import Question, Reading, Scorer
from salx.selection.exports import Pick
from salx.surrogates.surrogate import Surrogate

KINDS = (".html", ".png")
SHOWN, COLUMNS, SIDE = 60, 6, 240  # picks; in a row; pixels of a thumbnail's long side


class _Tile(NamedTuple):
    """A pick with its thumbnails: the image and, where pixels are scored, the map."""

    pick: Pick
    images: list[np.ndarray]


@dataclass(frozen=True)
class Sheet:
    """Hold what is drawn.

    Attributes:
      policy: how it was chosen.
      surrogate: who was asked, None for nobody.
      dataset: the pool as the surrogate saw it.
      picks: best first; the first SHOWN are drawn.
    """

    policy: Policy
    surrogate: Surrogate | None
    dataset: Dataset
    picks: Sequence[Pick]


def draw(sheet: Sheet, kind: str) -> bytes:
    """Draw the first picks, best first.

    Args:
      sheet: what is drawn.
      kind: ".html" for a page that needs no other file, ".png" for a picture.

    Returns:
      The file's content.
    """
    shown, policy, surrogate = sheet.picks[:SHOWN], sheet.policy, sheet.surrogate
    tiles = [_Tile(pick, [_view(sheet.dataset, pick.id)]) for pick in shown]
    maps = score_maps(sheet, [pick.id for pick in shown])
    if maps is not None:
        for tile, values in zip(tiles, maps, strict=True):
            tile.images.append(_painted(tile.images[0], values, maps.max()))
    tiles = [_Tile(tile.pick, [_thumbnail(image) for image in tile.images]) for tile in tiles]
    title = f"{len(shown)} of {len(sheet.picks)} picks by {policy.name}"
    title += f" of {surrogate.label}" if surrogate else ""
    return _page(title, tiles) if kind == ".html" else _figure(title, tiles)


def _view(dataset: Dataset, id_: int) -> np.ndarray:
    """What the surrogate saw of an image, without padding, uint8[h, w, 3]."""
    item = dataset.pool[id_]
    item = dataset.transforms.evaluate(item) if dataset.transforms.evaluate else item
    height, width = item.get("size", item["image"].shape[:2])
    return coloured(item["image"][:height, :width])


def score_maps(sheet: Sheet, ids: Sequence[int]) -> Float32[np.ndarray, "n height width"] | None:
    """Score every pixel of some images of a dense task, a few images at a time.

    Args:
      sheet: who chose, how and from what.
      ids: of the images.

    Returns:
      The score of each pixel, padded as the surrogate saw the image; None where the policy's score
      is no sum over pixels.
    """
    surrogate = sheet.surrogate
    if surrogate is None or not surrogate.task.dense or not isinstance(sheet.policy, ScorePolicy):
        return None
    question = Question(surrogate, sheet.policy, maps=True)
    reading = Reading(mesh.mesh().size)
    return Scorer().score(question, sheet.dataset, np.array(ids), reading)


def _painted(image: np.ndarray, values: np.ndarray, most: float) -> np.ndarray:
    """The image in grey under its values, from dark to bright."""
    from matplotlib import colormaps  # takes a second to import, and only drawing needs it

    height, width = image.shape[:2]
    heat = colormaps["inferno"](values[:height, :width] / max(most, 1e-9))[..., :3] * 255
    return (0.35 * image.mean(-1, keepdims=True) + 0.65 * heat).astype(np.uint8)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """The image at most SIDE pixels long; small ones grow by whole pixels."""
    height, width = image.shape[:2]
    factor = SIDE / max(height, width)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=how)


def _page(title: str, tiles: Sequence[_Tile]) -> bytes:
    """A page that needs no other file."""
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    template = jinja2.Environment(loader=folder, autoescape=True).get_template("sheet.html.j2")
    shown = [(pick, [_uri(image) for image in images]) for pick, images in tiles]
    return template.render(title=title, tiles=shown).encode()


def _uri(image: np.ndarray) -> str:
    """An image uint8[H, W, 3] as a JPEG in a data URI."""
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()


def _figure(title: str, tiles: Sequence[_Tile]) -> bytes:
    """The same as a PNG."""
    from matplotlib.figure import Figure

    lines = -(-len(tiles) // COLUMNS)
    drawn = Figure(figsize=(2 * COLUMNS, 2.3 * lines + 0.5), dpi=100, layout="constrained")
    drawn.suptitle(title, fontsize=11, parse_math=False)
    axes = drawn.subplots(lines, COLUMNS, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, (pick, images) in zip(axes, tiles, strict=False):
        axis.imshow(np.vstack(images))
        axis.set_title(pick.caption(), fontsize=8, parse_math=False)
    packed = io.BytesIO()
    drawn.savefig(packed, format="png")
    return packed.getvalue()
