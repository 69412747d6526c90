"""A record of picks for other tools: CSV, Label Studio, FiftyOne, a folder of the images."""

import csv
import io
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2

from salx.data.datasets import Source
from salx.infra import storage
from salx.infra.errors import ArgumentError

LOCAL_FILES = "/data/local-files/?d="  # a local storage of Label Studio


@dataclass(frozen=True)
class Pick:
    """One line of a record, with the image's file where it is one, and what the surrogate
    thinks it is: a class and its share of the image's pixels, or its probability. None: there
    is no file, no surrogate, or no finite score."""

    id: int
    key: str
    score: float | None
    rank: int
    path: Path | None
    predicted: str | None
    confidence: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values; the path as text."""
        return {**asdict(self), "path": str(self.path) if self.path else None}

    def caption(self) -> str:
        """`3. 0.5124 cat`: its place from 1, its score and its class."""
        score = "" if self.score is None else f"{self.score:.4g}"
        return f"{self.rank + 1}. {score} {self.predicted or ''}".strip()


def write_csv(path: Path, picks: Sequence[Pick]) -> Path:
    """Write one line a pick, best first; return the path."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("rank", "id", "key", "score", "predicted", "confidence"))
    for pick in picks:
        shown = "" if pick.confidence is None else f"{pick.confidence:.4f}"
        rows.writerow((pick.rank, pick.id, pick.key, pick.score, pick.predicted, shown))
    storage.write_file(path, text.getvalue().encode())
    return path


def write_label_studio(path: Path, picks: Sequence[Pick], url: str, version: str) -> Path:
    """Write tasks in Label Studio's JSON, each with the surrogate's prediction for a reviewer.

    An image is `url` and its key; the default serves a local storage of the pool's folder.
    Source: https://labelstud.io/guide/predictions
    """

    def task(pick: Pick) -> dict[str, Any]:
        fields = {"key": pick.key, "rank": pick.rank, "score": pick.score}
        result = {
            "from_name": "label",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [pick.predicted]},
        }
        guess = {"model_version": version, "score": pick.confidence, "result": [result]}
        return {
            "data": {"image": url + quote(pick.key), **fields},
            "predictions": [guess] if pick.predicted is not None else [],
        }

    write(path, [task(pick) for pick in picks])
    return path


def write_fiftyone(folder: Path, picks: Sequence[Pick]) -> Path:
    """Write `labels.json` and `data.json`, as fiftyone.types.FiftyOneImageClassificationDataset.

    Source: https://docs.voxel51.com/user_guide/import_datasets.html
    """
    names = {f"{pick.rank:06d}": pick for pick in picks}
    labels = {
        name: {
            "label": pick.predicted,
            "confidence": pick.confidence,
            "attributes": {"key": pick.key, "score": pick.score, "rank": pick.rank},
        }
        for name, pick in names.items()
    }
    files = {name: str(pick.path.absolute()) for name, pick in names.items() if pick.path}
    if len(files) < len(picks):
        raise ArgumentError("fiftyone", "{name} needs files of images, which this pool has not")
    write(folder / "labels.json", {"classes": None, "labels": labels})
    write(folder / "data.json", files)
    return folder


def write(path: Path, value: Any) -> None:
    """Write a value as JSON."""
    storage.write_file(path, json.dumps(value, indent=1, allow_nan=False).encode() + b"\n")


def copy(folder: Path, picks: Sequence[Pick], source: Source) -> Path:
    """Copy the picked images as `<rank>_<name>`: the files as they are, or PNGs of what has none.

    What else lies in the folder stays there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for pick in picks:
        # Of the key its last part alone, so that no name can leave the folder or is too long.
        name = re.sub(r"[^\w.-]", "_", pick.key.rpartition("/")[2])[-50:]
        target = folder / f"{pick.rank:06d}_{name}"
        if pick.path:
            shutil.copyfile(pick.path, target)
        else:
            encoded = cv2.imencode(".png", source[pick.id]["image"][..., ::-1])[1]
            storage.write_file(target.with_name(target.name + ".png"), encoded.tobytes())
    return folder
