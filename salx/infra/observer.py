"""Observers of a study or a selection while it goes on: a terminal, a notebook, a tracker."""

from collections.abc import Mapping
from typing import Any


class Observer:
    """Follow how work goes on. Every method does nothing; override those that you need.

    Of several processes only the main one calls them. An observer must not change what it is shown,
    and an error that it raises ends the work.
    """

    def study_started(self, runs: int, done: int, steps: int) -> None:
        """Hear that a study begins, or goes on.

        Args:
          runs: how many trainings the study has.
          done: how many of them are finished already.
          steps: how many training steps remain, over all of them.
        """

    def training_started(self, run: str, cycle: str, step: int, total: int) -> None:
        """Hear that a training begins, or goes on.

        Args:
          run: the name of its folder.
          cycle: which cycle it is of, as in "3 of 10".
          step: how many steps are done.
          total: how many steps it has.
        """

    def training_logged(self, run: str, step: int, metrics: Mapping[str, float]) -> None:
        """Hear how a training goes.

        Args:
          run: the name of its folder.
          step: how many steps are done.
          metrics: "loss", "accuracy" and "learning_rate" since the last call.
        """

    def training_finished(self, run: str, result: Mapping[str, Any]) -> None:
        """Hear that a training is finished and measured.

        Args:
          run: the name of its folder.
          result: the content of its result.json.
        """

    def scored(self, run: str, done: int, total: int, seconds: float) -> None:
        """Hear how far a pass over the pool is.

        Args:
          run: the name of the selection's folder, or of the surrogate.
          done: how many examples have their score.
          total: how many examples the pass has.
          seconds: the time since the pass began in this process.
        """

    def selected(self, run: str, cycle: int, count: int) -> None:
        """Hear that a cycle's picks are recorded.

        Args:
          run: the name of the selection's folder.
          cycle: the cycle, counted from 0.
          count: how many examples were picked.
        """

    def finished(self) -> None:
        """Hear that nothing more comes, also after an error."""
