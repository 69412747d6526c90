"""What was chosen: a Selection, as values and as files for other tools."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from salx import records
from salx.data.datasets import Dataset
from salx.infra import storage
from salx.policies import Policy
from salx.scoring.predictions import Predictions
from salx.scoring.stages import Choice
from salx.selection import exports, labelling, sheet
from salx.selection.exports import Pick
from salx.selection.pool import Pool
from salx.surrogates.surrogate import Surrogate


@dataclass(frozen=True)
class Selection:
    """The examples that were chosen from a pool, best first.

    Attributes:
      header: who chose, how and from what, as the record's first line says it.
      choice: ids, scores, and the scores of all candidates.
      pool: what was chosen from.
      policy, surrogate: how and by whom; no surrogate where nobody was asked.
      dataset: the pool as the surrogate saw it.
      predictions: what the surrogate predicts.
      candidates: how many could have been chosen.
      seconds: what scoring and choosing took.
    """

    header: dict[str, Any]
    choice: Choice = field(repr=False)
    pool: Pool = field(repr=False)
    policy: Policy
    surrogate: Surrogate | None = field(repr=False)
    dataset: Dataset = field(repr=False)
    predictions: Predictions = field(repr=False)
    candidates: int
    seconds: float

    def __len__(self) -> int:
        return len(self.choice.ids)

    @property
    def ids(self) -> np.ndarray:
        """The picks' numbers in the pool, int64[k], best first."""
        return self.choice.ids

    @property
    def keys(self) -> list[str]:
        """The picks' keys, best first."""
        keys = self.pool.keys
        return [keys[int(id_)] for id_ in self.choice.ids]

    @property
    def scores(self) -> np.ndarray:
        """The picks' scores, [k]."""
        return self.choice.scores

    @property
    def reason(self) -> str:
        """Why there are fewer than asked for; empty where there are not."""
        return self.choice.reason

    def picks(self) -> list[Pick]:
        """Return the picks with what other tools want to know of them."""
        names = self.surrogate.class_names() if self.surrogate else ()
        guesses = self.predictions
        picks = []
        for rank, (id_, score) in enumerate(zip(self.ids.tolist(), self.scores, strict=True)):
            key, label = self.pool.keys[int(id_)], guesses.label[id_]
            picks.append(
                Pick(
                    id=id_,
                    key=key,
                    score=records.written(score),
                    rank=rank,
                    path=self.pool.root / key if self.pool.root else None,
                    predicted=names[label] if names and label >= 0 else None,
                    confidence=float(guesses.confidence[id_]) if names and label >= 0 else None,
                )
            )
        return picks

    def rows(self) -> list[dict[str, Any]]:
        """Return the picks as plain values: id, key, score, rank, path, predicted, confidence."""
        return [pick.to_dict() for pick in self.picks()]

    def save(self, path: str | Path) -> Path:
        """Write the record, .jsonl: a header, then a line of JSON for each pick."""
        path = Path(path)
        keys = self.dataset.pool.keys
        storage.write_file(path, records.encode(self.header, self.ids, keys, self.scores))
        return path

    def to_csv(self, path: str | Path) -> Path:
        """Write the picks as a table, a line each."""
        return exports.write_csv(Path(path), self.picks())

    def to_label_studio(self, path: str | Path, url: str = exports.LOCAL_FILES) -> Path:
        """Write tasks for Label Studio; an image is `url` and its key.

        Where the classes are known, `tasks.labels.xml` beside `tasks.json` is the labelling
        configuration, to be pasted into the project's settings.
        """
        version = self.surrogate.label if self.surrogate else self.policy.name
        if names := self._class_names():
            storage.write_file(labelling.path_of(Path(path)), labelling.encode(names))
        return exports.write_label_studio(Path(path), self.picks(), url, version)

    def to_fiftyone(self, folder: str | Path) -> Path:
        """Write labels.json and data.json for FiftyOne. The pool's images must be files."""
        return exports.write_fiftyone(Path(folder), self.picks())

    def copy(self, folder: str | Path) -> Path:
        """Copy the picked images into a folder."""
        return exports.copy(Path(folder), self.picks(), self.dataset.pool)

    def sheet(self, path: str | Path) -> Path:
        """Draw the first picks as a page (.html) or a picture (.png), with the map of their
        scores where pixels are scored."""
        who = sheet.Sheet(self.policy, self.surrogate, self.dataset, self.picks())
        return sheet.write(Path(path), who)

    def _class_names(self) -> tuple[str, ...]:
        """The surrogate's, or where nobody was asked those that the pool's labels are of."""
        names = self.surrogate.class_names() if self.surrogate else ()
        return names or tuple(self.pool.dataset.classes)

    def mix(self) -> dict[str, float]:
        """Return the share of each class in the surrogate's predictions."""
        names = self.surrogate.class_names() if self.surrogate else ()
        return dict(zip(names, self.predictions.mix().tolist(), strict=True))
