"""A record of picks for other tools: CSV, Label Studio, FiftyOne, a folder of the images.

Each gives the content of its files, and writes nothing.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2

from salx.data.datasets import Source
from salx.infra import paths
from salx.infra.errors import ArgumentError, RunError

LOCAL_FILES = "/data/local-files/?d="  # a local storage of Label Studio
FIFTYONE = ("labels.json", "data.json")  # of a data set for FiftyOne


@dataclass(frozen=True)
class Pick:
    """Describe one pick: a line of the record, the image's file, what the surrogate predicts.

    Attributes:
      id: its number in the pool.
      key: its name: a file name below the pool's root, or a record's.
      score: what the policy gave it; None where that is not a finite number.
      rank: from 0, the best.
      path: the image's file, None where it is no file.
      predicted: the name of the class that the surrogate predicts; of pixels that of the most.
        None without a surrogate.
      confidence: the probability of this class, or its share of the image's pixels, 0 to 1.
    """

    id: int
    key: str
    score: float | None
    rank: int
    path: Path | None
    predicted: str | None
    confidence: float | None

    def to_dict(self) -> dict[str, Any]:
        """Make plain values of the fields.

        Returns:
          {field: value}, the path as text.
        """
        return {**asdict(self), "path": str(self.path) if self.path else None}

    def caption(self) -> str:
        """Tell the rank, as in the record, the score and the class.

        Returns:
          As `rank 3: 0.5124 cat`.
        """
        score = "" if self.score is None else f"{self.score:.4g}"
        about = " ".join(filter(None, (score, self.predicted)))
        return f"rank {self.rank}" + (f": {about}" if about else "")


def table(picks: Sequence[Pick]) -> bytes:
    """Make a CSV of the picks: rank, id, key, score, predicted, confidence.

    Args:
      picks: best first.

    Returns:
      The file's content: a header, and a line for each pick.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("rank", "id", "key", "score", "predicted", "confidence"))
    for pick in picks:
        shown = "" if pick.confidence is None else f"{pick.confidence:.4f}"
        rows.writerow((pick.rank, pick.id, pick.key, pick.score, pick.predicted, shown))
    return text.getvalue().encode()


def label_studio(picks: Sequence[Pick], url: str, version: str) -> bytes:
    """Make tasks in Label Studio's JSON, each with the surrogate's prediction for a reviewer.

    Source: https://labelstud.io/guide/predictions

    Args:
      picks: best first.
      url: what stands before a key in an image's address; LOCAL_FILES serves a local storage of the
        pool's folder.
      version: whose predictions these are.

    Returns:
      The file's content.
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

    return _in_json([task(pick) for pick in picks])


def fiftyone(picks: Sequence[Pick]) -> dict[str, bytes]:
    """Make the files of a fiftyone.types.FiftyOneImageClassificationDataset.

    Source: https://docs.voxel51.com/user_guide/import_datasets.html

    Args:
      picks: best first; each must have a file.

    Returns:
      The content of each file of the folder, by its name.

    Raises:
      ArgumentError: naming the argument `fiftyone`, for a pick without a file.
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
    contents = ({"classes": None, "labels": labels}, files)
    return dict(zip(FIFTYONE, map(_in_json, contents), strict=True))


def _in_json(value: Any) -> bytes:
    """A value as JSON."""
    return json.dumps(value, indent=1, allow_nan=False).encode() + b"\n"


def copy_names(picks: Sequence[Pick]) -> list[str]:
    """Name the copies: by the key, with its folders, and no name that leads out of a folder.

    A pick without a file is copied as a PNG. Where two would have one name, its rank tells the
    later one apart.

    Args:
      picks: best first.

    Returns:
      A name for each pick, all different.
    """
    names: dict[str, None] = {}
    for pick in picks:
        longest = paths.LONGEST if pick.path else paths.LONGEST - 20
        name = "/".join(_harmless(word, longest) for word in pick.key.split("/"))
        name = name if pick.path else f"{name}.png"
        while name in names:
            folder, slash, last = name.rpartition("/")
            name = f"{folder}{slash}{pick.rank:06d}_{last}"
        names[name] = None
    return list(names)


def _harmless(word: str, longest: int) -> str:
    """A name that stays in its folder and has at most so many bytes."""
    word = word.replace("\0", "_").encode("utf-8", "replace")[:longest].decode(errors="ignore")
    return "_" if word in ("", ".", "..") else word


def copies(picks: Sequence[Pick], source: Source) -> Iterator[bytes]:
    """Read the picked images: the files as they are, or PNGs of what has none.

    Args:
      picks: best first.
      source: the pool, for images that have no file.

    Yields:
      The content of each pick's copy.

    Raises:
      RunError: naming the example, for one that cannot be read.
    """
    for pick in picks:
        try:
            if pick.path:
                yield pick.path.read_bytes()
            else:
                yield cv2.imencode(".png", source[pick.id]["image"][..., ::-1])[1].tobytes()
        except OSError as error:
            why = f"cannot be read: {error.strerror or error}"
            raise RunError(f"example {pick.key!r} {why}") from error
