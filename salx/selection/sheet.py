"""Pictures of the first picks, with the map of their scores where pixels are scored."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import jinja2
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from salx.data.datasets import Dataset
from salx.data.images import coloured
from salx.infra import storage
from salx.policies import Policy
from salx.scoring.engine import score_pool
from salx.selection.exports import Pick
from salx.surrogates.surrogate import Surrogate

KINDS = (".html", ".png")
SHOWN, COLUMNS, SIDE = 60, 6, 240  # picks; in a row; pixels of a thumbnail's long side


class Tile(NamedTuple):
    """A pick with its thumbnails: the image and, where pixels are scored, the map."""

    pick: Pick
    images: list[np.ndarray]


def write(
    path: Path,
    asked: Surrogate | None,
    policy: Policy,
    dataset: Dataset,
    picks: Sequence[Pick],
    batch: int,
) -> None:
    """The first picks, best first, as a page or a picture, as the name ends."""
    shown = picks[:SHOWN]
    tiles = [Tile(pick, [view(dataset, pick.id)]) for pick in shown]
    if asked and asked.task.dense and policy.values:
        maps = score_maps(asked, policy, dataset, [pick.id for pick in shown], batch)
        for tile, values in zip(tiles, maps, strict=True):
            tile.images.append(painted(tile.images[0], values, maps.max()))
    tiles = [Tile(tile.pick, [thumbnail(image) for image in tile.images]) for tile in tiles]
    title = f"{len(shown)} of {len(picks)} picks by {policy.name}"
    title += f" of {asked.model.label}" if asked else ""
    storage.write_file(path, page(title, tiles) if path.suffix == ".html" else figure(title, tiles))


def view(dataset: Dataset, id_: int) -> np.ndarray:
    """What the surrogate saw of an image, without padding, uint8[h, w, 3]."""
    item = dataset.pool[id_]
    item = dataset.transforms.evaluate(item) if dataset.transforms.evaluate else item
    height, width = item.get("size", item["image"].shape[:2])
    return coloured(item["image"][:height, :width])


def score_maps(
    asked: Surrogate, policy: Policy, dataset: Dataset, ids: Sequence[int], batch: int
) -> np.ndarray:
    """The policy's values of every pixel, float32[n, H, W], scored `batch` images at a time."""
    each = policy._replace(example=policy.values)
    return score_pool(asked.model, asked.variables, each, dataset, np.array(ids), batch)


def painted(image: np.ndarray, values: np.ndarray, most: float) -> np.ndarray:
    """The image in grey under its values, from dark to bright."""
    height, width = image.shape[:2]
    heat = colormaps["inferno"](values[:height, :width] / max(most, 1e-9))[..., :3] * 255
    return (0.35 * image.mean(-1, keepdims=True) + 0.65 * heat).astype(np.uint8)


def thumbnail(image: np.ndarray) -> np.ndarray:
    """At most SIDE pixels long; small images grow by whole pixels."""
    height, width = image.shape[:2]
    factor = SIDE / max(height, width)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=how)


def page(title: str, tiles: Sequence[Tile]) -> bytes:
    """A page that needs no other file."""
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    template = jinja2.Environment(loader=folder, autoescape=True).get_template("sheet.html.j2")
    shown = [(pick, [uri(image) for image in images]) for pick, images in tiles]
    return template.render(title=title, tiles=shown).encode()


def uri(image: np.ndarray) -> str:
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()


def figure(title: str, tiles: Sequence[Tile]) -> bytes:
    """The same as a PNG."""
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
