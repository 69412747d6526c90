"""The ways in which a command ends early, each as one line to its user."""

import contextlib
import difflib
import os
from collections.abc import Iterable, Iterator


class InputError(Exception):
    """What the user gave cannot be used: names the file or field. Exit code 2."""


class RunError(Exception):
    """A run had to stop: names the run, cycle, step and example. Exit code 1."""


class Stopped(Exception):
    """SIGTERM came, and what was done is saved. Exit code 75: the same command goes on."""


class Unreachable(Exception):
    """A bucket does not answer any more. Exit code 75: the same command goes on."""


def one_line(error: BaseException) -> str:
    """An error's text without its line breaks."""
    return " ".join(str(error).split())


def verdict(error: BaseException) -> tuple[int, str]:
    """The exit code for an error, and the line that explains it."""
    line = f"salx: {one_line(error)}"
    if isinstance(error, InputError):
        return 2, line
    if isinstance(error, Stopped):
        return os.EX_TEMPFAIL, "salx: stopped by SIGTERM; the same command goes on from here"
    if isinstance(error, Unreachable):
        return os.EX_TEMPFAIL, f"{line}; the same command goes on from here"
    if isinstance(error, KeyboardInterrupt):
        return 130, "salx: interrupted; the same command goes on from here"
    return 1, line


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its kind where it says nothing."""
    silent = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
    return next(iter(str(error).strip().splitlines()), silent)


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not among the known ones, with the nearest of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return InputError(f"unknown {kind} {name!r};{hint} known: {', '.join(known)}")


@contextlib.contextmanager
def located(where: str) -> Iterator[None]:
    """Puts `where` in front of a RunError's message as it passes."""
    try:
        yield
    except RunError as error:
        raise RunError(f"{where}: {error}") from error
