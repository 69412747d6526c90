"""The result of a choice: a Selection, as values and as files for other tools."""

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped

from salx import records
from salx.data.datasets import Dataset
from salx.infra import paths
from salx.infra.outputs import Guard, refused
from salx.policies import Policy
from salx.scoring.predictions import Predictions
from salx.scoring.stages import Choice
from salx.selection import exports, labelling, sheet
from salx.selection.duplicates import Duplicates, find_duplicates
from salx.selection.exports import Pick
from salx.selection.pool import Pool
from salx.surrogates.surrogate import Surrogate


@dataclass(frozen=True)
class Selection:
    """Hold the examples that were chosen from a pool, best first. `len()` is their number.

        selection.keys, selection.scores      # and .ids, .rows()
        selection.save("picks.jsonl")         # the record, from which a later choice goes on
        selection.sheet("picks.html")         # pictures; and .copy, .to_csv, .to_label_studio, ...

    What writes files replaces none that is there, unless `overwrite`; one that holds just what
    would be written is no mistake. Nothing is written into the pool, over what was read, or
    through a link. Each such method raises an ArgumentError, which names its argument, for a path
    that it must not write, and a RunError where the disk is full.

    Attributes:
      header: who chose, how and from what, as the record's first line says it.
      choice: ids, scores, and the scores of all candidates.
      pool: what was chosen from.
      policy: how it was chosen.
      surrogate: who was asked, None for nobody.
      dataset: the pool as the surrogate saw it.
      predictions: what the surrogate predicts.
      candidates: how many could have been chosen.
      seconds: what scoring and choosing took.
      guard: what the files of the selection must spare.
      labelled: ids of what was labelled before.
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
    guard: Guard = field(default_factory=Guard, repr=False)
    labelled: Int64[np.ndarray, " n"] = field(
        default_factory=lambda: np.zeros(0, np.int64), repr=False
    )

    def __len__(self) -> int:
        return len(self.choice.ids)

    @property
    def ids(self) -> Int64[np.ndarray, " k"]:
        """Return the picks' numbers in the pool, best first."""
        return self.choice.ids

    @property
    def keys(self) -> list[str]:
        """Return the picks' keys, best first: file names below the pool's root, or record names."""
        keys = self.pool.keys
        return [keys[int(id_)] for id_ in self.choice.ids]

    @property
    def scores(self) -> Shaped[np.ndarray, " k"]:
        """Return the picks' scores, best first."""
        return self.choice.scores

    @property
    def reason(self) -> str:
        """Tell why there are fewer than were to be chosen; "" where there are not."""
        return self.choice.reason

    @functools.cached_property
    def duplicates(self) -> Duplicates:
        """Count the picks that repeat another, or one that is labelled; reads these images once."""
        return find_duplicates(self.pool, self.ids, self.labelled)

    def picks(self) -> list[Pick]:
        """List the picks with what other tools want to know of them.

        Returns:
          Of each its id, key, score, rank, path, and the class and confidence that the surrogate
          gives.
        """
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
        """List the picks as plain values, as for a data frame.

        Returns:
          Of each {"id", "key", "score", "rank", "path", "predicted", "confidence"}, best first;
          what there is not is None.
        """
        return [pick.to_dict() for pick in self.picks()]

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the record: a header, then a line of JSON for each pick.

        Args:
          path: a file, .jsonl.
          overwrite: whether a file that is there is replaced.

        Returns:
          The file's path.
        """
        return self._write(path, self.record(), overwrite)

    def record(self) -> bytes:
        """Make the content of the record.

        Returns:
          JSON lines in UTF-8.
        """
        return records.encode(self.header, self.ids, self.dataset.pool.keys, self.scores)

    def to_csv(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the picks as a table, a line each.

        Args:
          path: a file, .csv.
          overwrite: whether a file that is there is replaced.

        Returns:
          The file's path.
        """
        return self._write(path, self.table(), overwrite)

    def table(self) -> bytes:
        """Make the content of the table.

        Returns:
          CSV in UTF-8: rank, id, key, score, predicted, confidence.
        """
        return exports.table(self.picks())

    def to_label_studio(
        self, path: str | Path, url: str = exports.LOCAL_FILES, overwrite: bool = False
    ) -> Path:
        """Write tasks for Label Studio.

        Where the classes' names are there, `tasks.labels.xml` goes with `tasks.json`: it is the
        labelling configuration, to be pasted into the project's settings.

        Args:
          path: a file, .json.
          url: what stands before a key in an image's address; the default serves a local storage of
            the pool's folder.
          overwrite: whether files that are there are replaced.

        Returns:
          The path of the tasks' file.
        """
        if configuration := self.labelling():
            path = paths.local(path, "path")
            self._write(labelling.path_of(path), configuration, overwrite)
        return self._write(path, self.tasks(url), overwrite)

    def tasks(self, url: str = exports.LOCAL_FILES) -> bytes:
        """Make the content of the tasks for Label Studio.

        Args:
          url: what stands before a key in an image's address.

        Returns:
          JSON in UTF-8.
        """
        version = self.surrogate.label if self.surrogate else self.policy.name
        return exports.label_studio(self.picks(), url, version)

    def labelling(self) -> bytes:
        """Make the content of the labelling configuration for Label Studio.

        Returns:
          XML in UTF-8; empty without class names.
        """
        names = self._class_names()
        return labelling.encode(names) if names else b""

    def to_fiftyone(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write labels.json and data.json for FiftyOne. The pool's images must be files.

        Args:
          folder: where both lie; it is made.
          overwrite: whether files that are there are replaced.

        Returns:
          The folder's path.
        """
        folder, guard = paths.local(folder, "folder"), self._guard(overwrite)
        guard.check("folder", folder, folder=True)
        for name, content in exports.fiftyone(self.picks()).items():
            guard.write("folder", folder / name, content)
        return folder

    def copy(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Copy the picked images into a folder, below it by their keys; what else lies there stays.

        Nothing is copied where one of them cannot be.

        Args:
          folder: where the copies lie; it is made.
          overwrite: whether files that are there are replaced.

        Returns:
          The folder's path.
        """
        targets, guard = self.copies(folder, overwrite), self._guard(overwrite)
        contents = exports.copies(self.picks(), self.dataset.pool)
        for target, content in zip(targets, contents, strict=True):
            guard.write("folder", target, content)
        return paths.local(folder, "folder")

    def copies(self, folder: str | Path, overwrite: bool = False) -> list[Path]:
        """Tell where the copies of the picked images will lie, and check that they can.

        Args:
          folder: as for `copy`, and raises as `copy` does.
          overwrite: whether files that are there may be replaced.

        Returns:
          A path for each pick, best first.
        """
        folder, guard, picks = paths.local(folder, "folder"), self._guard(overwrite), self.picks()
        guard.check("folder", folder, folder=True)
        targets = [folder / name for name in exports.copy_names(picks)]
        for target, pick in zip(targets, picks, strict=True):
            guard.check_below("folder", folder, target)
            if target.exists():
                (content,) = exports.copies([pick], self.dataset.pool)
                guard.fits("folder", target, content)
        return targets

    def sheet(self, path: str | Path, overwrite: bool = False) -> Path:
        """Draw the first picks, with the map of their scores where pixels are scored.

        Args:
          path: a page (.html) or a picture (.png).
          overwrite: whether a file that is there is replaced.

        Returns:
          The file's path.
        """
        path = paths.local(path, "path")
        if path.suffix not in sheet.KINDS:
            raise refused("path", path, f"must be named {' or '.join(sheet.KINDS)}")
        self._guard(overwrite).check("path", path)  # before the scores of pixels are computed
        return self._write(path, self.drawn(path.suffix), overwrite)

    def drawn(self, kind: str) -> bytes:
        """Make the content of a sheet.

        Args:
          kind: ".html" or ".png".

        Returns:
          The file's bytes.
        """
        who = sheet.Sheet(self.policy, self.surrogate, self.dataset, self.picks())
        return sheet.draw(who, kind)

    def _guard(self, overwrite: bool) -> Guard:
        # The same guard where it serves: it has looked at the pool's files once.
        return (
            self.guard
            if overwrite == self.guard.overwrite
            else replace(self.guard, overwrite=overwrite)
        )

    def _write(self, path: str | Path, content: bytes, overwrite: bool) -> Path:
        path = paths.local(path, "path")
        self._guard(overwrite).write("path", path, content)
        return path

    def _class_names(self) -> tuple[str, ...]:
        """The surrogate's, or where nobody was asked those that the pool's labels are of."""
        names = self.surrogate.class_names() if self.surrogate else ()
        return names or tuple(self.pool.dataset.classes)

    def mix(self) -> dict[str, float]:
        """Tell the share of each class in the surrogate's predictions.

        Returns:
          {name: share}, 0 to 1; of pixels where pixels are predicted, {} without a surrogate.
        """
        names = self.surrogate.class_names() if self.surrogate else ()
        return dict(zip(names, self.predictions.mix().tolist(), strict=True))
