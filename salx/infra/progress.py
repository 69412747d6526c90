"""Reports of a run while it goes on: journals of metrics, and progress on the terminal."""

import contextlib
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

from salx.infra import numbers, sealed, storage
from salx.infra.errors import InputError, RunError, first_line
from salx.infra.observer import Observer

Item = TypeVar("Item")

PLAIN_EVERY = 10.0  # seconds between lines where the output is no terminal
PATIENCE = 1.0  # seconds before a count is shown, as most are over by then


class Journal:
    """Write metrics.jsonl of a run, one JSON object a line, and TensorBoard events on request.

    Opening it at a step drops what an interrupted run wrote after that step. Where lines that
    should be there are not, as in an emptied file, a line on stderr says which.

    Args:
      folder: the run's.
      step: where the run stands.
      tensorboard: whether events are written, too.
      due: the last step up to `step` that should have a line; 0 for none.

    Attributes:
      path: the journal, metrics.jsonl.
      folder: the folder of the events.
      file: the open journal.
      events: the writer of events, None without them.

    Raises:
      RunError: naming what cannot be written.
    """

    def __init__(self, folder: Path, step: int, tensorboard: bool = False, due: int = 0):
        self.path, self.folder = folder / "metrics.jsonl", folder / "events"
        earlier = [line for line in _lines(self.path) if line["step"] <= step]
        last = max((line["step"] for line in earlier), default=0)
        if last < due:
            why = f"has no lines of the steps {last + 1} to {due}; the run goes on without them"
            print(f"salx: {self.path}: {why}", file=sys.stderr)
        text = "".join(json.dumps(line) + "\n" for line in earlier)
        self.file = storage.open_append(self.path, text)
        self.events = None
        if tensorboard:
            with _writing_events(self.folder):
                self.events = event_writer(self.folder)

    def write(self, step: int, scalars: dict[str, float]) -> None:
        """Append one line, and the events where they are requested.

        Args:
          step: the step that the values are of.
          scalars: the values by name.

        Raises:
          RunError: naming what cannot be written.
        """
        with storage.writing(self.path):
            self.file.write(json.dumps({"step": step, **scalars}) + "\n")
            self.file.flush()
        if self.events:
            with _writing_events(self.folder):
                self.events.write_scalars(step, scalars)

    def close(self) -> None:
        """Close the files."""
        with storage.writing(self.path):
            self.file.close()
        if self.events:
            with _writing_events(self.folder):
                self.events.close()


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read a journal's lines up to the first that a killed process left torn.

    Raises InputError for what cannot be read.
    """
    whole: list[dict[str, Any]] = []
    with sealed.reading(path):
        content = storage.read_file(path) if path.exists() else b""
    with contextlib.suppress(ValueError, TypeError, RecursionError, InputError):
        for line in content.splitlines():
            value = dict(json.loads(line))
            numbers.whole("step", value.get("step"))
            whole.append(value)
    return whole


def check_events() -> None:
    """Check that what TensorBoard events need is installed.

    Raises:
      InputError: naming the package that is missing, and how to install it.
    """
    for name in ("tensorflow", "tensorboard"):
        if importlib.util.find_spec(name) is None:
            raise InputError(
                f"config.telemetry.tensorboard=True needs {name}: "
                "pip install tensorflow-cpu tensorboard"
            )


@contextlib.contextmanager
def _writing_events(folder: Path) -> Iterator[None]:
    """Turn what tensorflow raises, of kinds of its own, into a RunError that names the folder."""
    try:
        yield
    except Exception as error:
        raise RunError(f"{folder}: cannot be written: {first_line(error)}") from error


def event_writer(folder: Path) -> Any:
    """Open a TensorBoard writer; only this imports tensorflow, and only when it is called.

    Args:
      folder: where the events are written.

    Returns:
      A writer of clu, with `write_scalars` and `close`.
    """
    from clu import metric_writers

    return metric_writers.SummaryWriter(str(folder))


class _Bar:
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
    """Pass items on, and show how many: `caching camvid_pool  12 of 367  0:07 left`.

    Args:
      what: what is done with them, for the text.
      items: whatever is counted.
      total: how many there will be.

    Yields:
      The items.
    """
    with _Bar(total) as bar:
        for bar.done, item in enumerate(items, 1):
            yield item
            bar.tell(f"{what}  {bar.done} of {total}  {bar.left()}")


class Count:
    """Show how many there are so far, where nobody knows how many there will be.

    The count is shown on stderr after PATIENCE seconds: `listing pool  120,000`. A context manager,
    which clears it.

    Args:
      what: what is done with them, for the text.

    Attributes:
      what: as in Args.
      done: how many there are so far.
    """

    def __init__(self, what: str):
        self.what, self.done = what, 0
        self._began = time.monotonic()
        self._bar: _Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__()

    def add(self, count: int) -> None:
        """Add to the count.

        Args:
          count: how many more there are.
        """
        self.done += count
        if self._bar is None:
            if time.monotonic() - self._began < PATIENCE:
                return
            self._bar = _Bar(None).__enter__()
        self._bar.tell(f"{self.what}  {self.done:,}")


class Terminal(Observer):
    """Show on stderr how a study or a selection goes: run i of n, cycle, step, time left.

    Nothing is shown, and nothing is opened, before something is heard. A context manager, which
    clears the terminal at its end.

    Args:
      shown: whether to show anything at all.

    Attributes:
      shown: as in Args.
    """

    def __init__(self, shown: bool = True):
        self.shown = shown
        self._bar: _Bar | None = None
        self._runs = self._run = 0
        self._at: tuple[str, str, int, int] = ("", "", 0, 0)  # run, cycle, step, total
        self._pass: tuple[str, int, float] = ("", 0, 0.0)  # run; examples, seconds at first
        self._latest = 0.0  # seconds of the pass so far

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.finished()

    def _opened(self, total: int = 1) -> _Bar:
        if self._bar is None:
            self._bar = _Bar(max(1, total), self.shown)
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
        """Show where a pass over the pool stands.

        The rate counts from the first call of a pass: before it come the compilation, and what
        an interrupted pass had done.
        """
        if run != self._pass[0] or seconds < self._latest:  # another pass
            self._pass = (run, done, seconds)
        _, before, since = self._pass
        self._latest, how = seconds, "-:-- left"
        if done > before and seconds > since:
            rate = (done - before) / (seconds - since)
            how = f"{per_second(rate)} images/s  {clock((total - done) / rate)} left"
        self._opened().tell(f"scoring {done:,}/{total:,}  {how}  {run}")

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


def per_second(rate: float) -> str:
    """Format a rate as `1,234`, `12`, `3.5` or `0.03`.

    Args:
      rate: how many there are in a second.

    Returns:
      The number with about two digits.
    """
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}" if rate >= 0.1 else f"{rate:.1g}"


def clock(seconds: float) -> str:
    """Format a duration as `0:07`, `12:30` or `3:02:10`.

    Args:
      seconds: the duration; one below 0 counts as 0.

    Returns:
      Hours, minutes and seconds, rounded up to a whole second.
    """
    whole = math.ceil(max(0.0, seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
