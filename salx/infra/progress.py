"""What a run tells while it goes on: journals of metrics, and progress on the terminal."""

import importlib.util
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from salx.infra import storage
from salx.infra.errors import InputError
from salx.infra.observer import Observer

Item = TypeVar("Item")

PLAIN_EVERY = 10.0  # seconds between lines where the output is no terminal
PATIENCE = 1.0  # seconds before a count is shown, as most are over by then


class Journal:
    """metrics.jsonl of a run, one JSON object a line, and TensorBoard events on request.

    Opening it at a step drops what an interrupted run wrote after that step.
    """

    def __init__(self, folder: Path, step: int, tensorboard: bool = False):
        path = folder / "metrics.jsonl"
        earlier = [line for line in lines(path) if line["step"] <= step]
        text = "".join(json.dumps(line) + "\n" for line in earlier)
        self.file = storage.open_append(path, text)
        self.events = event_writer(folder / "events") if tensorboard else None

    def write(self, step: int, scalars: dict[str, float]) -> None:
        """Append one line, and the events where they are requested."""
        self.file.write(json.dumps({"step": step, **scalars}) + "\n")
        self.file.flush()
        if self.events:
            self.events.write_scalars(step, scalars)

    def close(self) -> None:
        """Close the files."""
        self.file.close()
        if self.events:
            self.events.close()


def lines(path: Path) -> list[dict[str, Any]]:
    """Read a journal's lines up to the first that a killed process left torn."""
    whole = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            whole.append(json.loads(line))
        except ValueError:
            break
    return whole


def check_events() -> None:
    """Raise InputError unless what TensorBoard events need is installed."""
    for name in ("tensorflow", "tensorboard"):
        if importlib.util.find_spec(name) is None:
            raise InputError(
                f"config.telemetry.tensorboard=True needs {name}: "
                "pip install tensorflow-cpu tensorboard"
            )


def event_writer(folder: Path) -> Any:
    """Open a TensorBoard writer; this alone imports tensorflow, and only when it is called."""
    from clu import metric_writers

    return metric_writers.SummaryWriter(str(folder))


class Bar:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere, nothing unless
    `shown`. A context manager."""

    def __init__(self, total: int | None, shown: bool = True):
        self.total, self.done = total, 0
        self.began = self.printed = time.monotonic()
        console = Console(file=sys.stderr)
        self.plain = shown and not console.is_terminal
        live = shown and console.is_terminal
        columns = TextColumn("{task.description}", markup=False), BarColumn(None)
        self.bar = Progress(*columns, console=console, disable=not live, transient=True)
        self.task: TaskID = self.bar.add_task("starting", total=total)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def tell(self, text: str) -> None:
        """Show a text beside the bar."""
        self.bar.update(self.task, description=text, completed=self.done)
        if self.plain and time.monotonic() - self.printed > PLAIN_EVERY:
            self.printed = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def left(self) -> str:
        """Estimate the time that is left: that so far per unit, times the units that remain."""
        if not self.done or self.total is None:
            return "-:-- left"
        return f"{clock((time.monotonic() - self.began) * (self.total / self.done - 1))} left"


def counted(what: str, items: Iterable[Item], total: int) -> Iterator[Item]:
    """Pass the items on, with progress: `caching camvid_pool  12 of 367  0:07 left`."""
    with Bar(total) as bar:
        for bar.done, item in enumerate(items, 1):
            yield item
            bar.tell(f"{what}  {bar.done} of {total}  {bar.left()}")


class Count:
    """Shows how many there are so far, where nobody knows how many there will be, once that takes
    longer than a moment: `listing pool  120,000`. A context manager."""

    def __init__(self, what: str):
        self.what, self.done = what, 0
        self._began = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__()

    def add(self, count: int) -> None:
        """Count so many more."""
        self.done += count
        if self._bar is None:
            if time.monotonic() - self._began < PATIENCE:
                return
            self._bar = Bar(None).__enter__()
        self._bar.tell(f"{self.what}  {self.done:,}")


class Terminal(Observer):
    """Shows on stderr how a study or a selection goes: run i of n, cycle, step, time left.

    Nothing is shown, and nothing is opened, before something is heard; or ever, unless `shown`.
    A context manager, which ends it.
    """

    def __init__(self, shown: bool = True):
        self.shown = shown
        self._bar: Bar | None = None
        self._runs = self._run = 0
        self._at: tuple[str, str, int, int] = ("", "", 0, 0)  # run, cycle, step, total

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.finished()

    def _opened(self, total: int = 1) -> Bar:
        if self._bar is None:
            self._bar = Bar(max(1, total), self.shown)
            self._bar.__enter__()
        return self._bar

    def study_started(self, runs: int, done: int, steps: int) -> None:
        """Know how many runs and steps remain."""
        self._runs, self._run = runs, done
        self._opened(steps)

    def training_started(self, run: str, cycle: str, step: int, total: int) -> None:
        """Show a training; one that is at its end goes unseen."""
        self._at = (run, cycle, step, total)
        if step < total:
            self._run += 1
            self._show()

    def training_logged(self, run: str, step: int, metrics: Mapping[str, float]) -> None:
        """Show where the training stands."""
        name, cycle, before, total = self._at
        self._opened().done += step - before
        self._at = (name, cycle, step, total)
        self._show()

    def scored(self, run: str, done: int, total: int, seconds: float) -> None:
        """Show where a pass over the pool stands."""
        rate = done / max(1e-9, seconds)
        left = clock((total - done) / max(1e-9, rate))
        text = f"scoring {done:,}/{total:,}  {rate:,.0f} images/s  {left} left  {run}"
        self._opened().tell(text)

    def finished(self) -> None:
        """Clear the terminal."""
        if self._bar is not None:
            self._bar.__exit__()
            self._bar = None

    def _show(self) -> None:
        run, cycle, step, total = self._at
        bar = self._opened()
        # A narrow terminal cuts the end: the run's name goes first.
        words = [f"run {self._run} of {self._runs}", bar.left(), f"cycle {cycle}"]
        bar.tell("  ".join([*words, f"step {step}/{total}", run]))


def clock(seconds: float) -> str:
    """Format a duration as `0:07`, `12:30` or `3:02:10`."""
    whole = math.ceil(max(0.0, seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
