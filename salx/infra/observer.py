"""Who looks on while a study or a selection goes: the terminal, a notebook, a tracker of runs."""

from collections.abc import Mapping, Sequence
from typing import Any


class Observer:
    """Hears how work goes on. Every method does nothing; override what is wanted.

    Of several processes the main one alone is heard. An observer must not change what it is
    shown, and an error that it raises ends the work.
    """

    def study_started(self, runs: int, done: int, steps: int) -> None:
        """A study begins: `done` of its `runs` trainings are there, `steps` steps remain."""

    def training_started(self, run: str, cycle: str, step: int, total: int) -> None:
        """A training begins, or goes on, at `step` of `total`; `cycle` is "3 of 10"."""

    def training_logged(self, run: str, step: int, metrics: Mapping[str, float]) -> None:
        """A training stands at `step`; the metrics are those since the last call."""

    def training_finished(self, run: str, result: Mapping[str, Any]) -> None:
        """A training is measured; `result` is the content of its result.json."""

    def scored(self, run: str, done: int, total: int, seconds: float) -> None:
        """A pass over the pool has scored `done` of `total` examples, in so many seconds."""

    def selected(self, run: str, cycle: int, count: int) -> None:
        """A cycle's `count` picks are recorded."""

    def finished(self) -> None:
        """Nothing more comes, also after an error."""


class Observers(Observer):
    """Several observers, heard in order."""

    def __init__(self, every: Sequence[Observer]):
        self.every = tuple(every)

    def study_started(self, runs: int, done: int, steps: int) -> None:
        """Pass it on."""
        for each in self.every:
            each.study_started(runs, done, steps)

    def training_started(self, run: str, cycle: str, step: int, total: int) -> None:
        """Pass it on."""
        for each in self.every:
            each.training_started(run, cycle, step, total)

    def training_logged(self, run: str, step: int, metrics: Mapping[str, float]) -> None:
        """Pass it on."""
        for each in self.every:
            each.training_logged(run, step, metrics)

    def training_finished(self, run: str, result: Mapping[str, Any]) -> None:
        """Pass it on."""
        for each in self.every:
            each.training_finished(run, result)

    def scored(self, run: str, done: int, total: int, seconds: float) -> None:
        """Pass it on."""
        for each in self.every:
            each.scored(run, done, total, seconds)

    def selected(self, run: str, cycle: int, count: int) -> None:
        """Pass it on."""
        for each in self.every:
            each.selected(run, cycle, count)

    def finished(self) -> None:
        """Pass it on."""
        for each in self.every:
            each.finished()
