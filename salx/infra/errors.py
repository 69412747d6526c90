"""The ways in which a command ends early, each as one line to its user."""

import contextlib
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping

LONGEST = 100  # characters of a name in a message


class InputError(Exception):
    """Report that what the user gave cannot be used: it names the file or field. Exit code 2."""


class ArgumentError(InputError):
    """Report that an argument of a library function cannot be used. Exit code 2.

    `text` says why, with `{name}` where the argument's name belongs, so that a command can put its
    flag, and a study its field, in that place (see `renamed`). `{.other}` stands for another
    argument of the same function, and `{.}` for all of them: for `config.data.size`, these are
    `config.data.other` and `config.data`.

    Args:
      argument: the argument's name, with dots for a field within it.
      text: why it cannot be used, with these placeholders.
    """

    def __init__(self, argument: str, text: str):
        above = argument[: argument.rfind(".") + 1]
        line = text.replace("{name}", argument).replace("{.}", above[:-1] or "the options")
        super().__init__(re.sub(r"\{\.(\w+)\}", lambda match: above + match[1], line))
        self.argument, self.text = argument, text


class RunError(Exception):
    """Report that a run had to stop: it names the run, cycle, step and example. Exit code 1."""


class Stopped(Exception):
    """Report that SIGTERM came, and that what was done is saved.

    The exit code is 75, and the same command goes on from there.
    """


class Unreachable(Exception):
    """Report that a bucket does not answer any more.

    The exit code is 75, and the same command goes on from what is saved.
    """


def cut(text: str, longest: int = LONGEST) -> str:
    """Shorten a text for a message.

    Args:
      text: the text.
      longest: the most characters that are left of it.

    Returns:
      The text, with "..." in place of its end where it was longer.
    """
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _one_line(error: BaseException) -> str:
    """Return an error's text without its line breaks."""
    return " ".join(str(error).split())


def verdict(error: BaseException) -> tuple[int, str]:
    """Decide how a command ends because of an error.

    Args:
      error: what ended it.

    Returns:
      The exit code, and the line that explains the error to the user.
    """
    line = f"salx: {_one_line(error)}"
    if isinstance(error, InputError):
        return 2, line
    if isinstance(error, Stopped):
        return os.EX_TEMPFAIL, "salx: stopped by SIGTERM; the same command goes on from here"
    if isinstance(error, Unreachable):
        return os.EX_TEMPFAIL, f"{line}; the same command goes on from here"
    if isinstance(error, KeyboardInterrupt):
        return 130, "salx: interrupted; the same command goes on from here"
    if isinstance(error, OSError):  # of files, storage.py makes errors that name them
        return 1, f"salx: {error.filename or 'the output'}: {error.strerror or line}"
    return 1, line


def first_line(error: Exception) -> str:
    """Return the first line of an error's text.

    Args:
      error: any exception, also of other packages.

    Returns:
      The line, or the name of the error's class where the error has no text ("no answer" for a
      timeout).
    """
    silent = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
    return next(iter(str(error).strip().splitlines()), silent)


@contextlib.contextmanager
def renamed(names: str | Mapping[str, str]) -> Iterator[None]:
    """Give an ArgumentError that passes the name that its user knows the argument by.

    Args:
      names: what stands before every argument's name (`config.dataset.`), or a mapping from
        arguments to names (`{"budget": "--budget"}`); an argument without one keeps its own.

    Yields:
      Nothing; what runs within the `with` statement may raise the error.

    Raises:
      ArgumentError: the one that passed, with the other name in its text.
    """
    try:
        yield
    except ArgumentError as error:
        name, text = error.argument, error.text
        if isinstance(names, str):
            raise ArgumentError(f"{names}{name}", text) from error
        text = re.sub(r"\{\.(\w+)\}", lambda match: names.get(match[1], match[1]), text)
        raise ArgumentError(names.get(name, name), text) from error


def unknown(kind: str, name: str, choices: Iterable[str], argument: str = "") -> InputError:
    """Make the error for a name that is not among the choices, with the nearest of them.

    Args:
      kind: what the name should have been, as in "unknown KIND 'name'"; with an `argument` it may
        hold `{name}`, where the argument's name belongs.
      name: the unknown name.
      choices: the known names.
      argument: the library function's argument that the name came in; "" if there is none.

    Returns:
      The error, to be raised by the caller; an ArgumentError where there is an `argument`.
    """
    choices, name = sorted(choices), cut(name)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    text = f"unknown {kind} {name!r};{hint} known: {', '.join(choices)}"
    return ArgumentError(argument, text) if argument else InputError(text)


@contextlib.contextmanager
def located(where: str) -> Iterator[None]:
    """Put a place in front of a RunError's message as the error passes.

    Args:
      where: the place, such as a run's name.

    Yields:
      Nothing; what runs within the `with` statement may raise the error.

    Raises:
      RunError: the one that passed, with the place in front.
    """
    try:
        yield
    except RunError as error:
        raise RunError(f"{where}: {error}") from error
