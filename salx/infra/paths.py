"""Names of files and folders as a user gives them: expanded, and refused where they cannot be."""

import contextlib
from pathlib import Path

from salx.infra.errors import ArgumentError, InputError, cut

LONGEST, DEEPEST = 255, 4095  # bytes of a part of a path, and of all of it, on Linux


def printable(text: str) -> str:
    """Return a name as a terminal and JSON can show it: what is no character becomes \\xNN."""
    with contextlib.suppress(UnicodeEncodeError):  # half a pair, which stands for no byte either
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def unreadable(text: str) -> str:
    """Tell why a word that a user gave is no text; "" where it is."""
    if "\0" in text:
        return "holds a NUL byte"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def fault(name: str) -> str:
    """Tell why a name can be no file's or folder's; "" where it can."""
    if not name:
        return "is empty"
    if why := unreadable(name):
        return why
    encoded = name.encode("utf-8")
    longest = max(map(len, encoded.split(b"/")))
    if longest > LONGEST or len(encoded) > DEEPEST:
        return f"is too long: a part of a path has at most {LONGEST} bytes"
    return ""


def local(name: str | Path, argument: str = "") -> Path:
    """Return the path of a file or folder of this machine, `~` expanded.

    Args:
      name: what the user gave.
      argument: the argument that it came in, if there is one.

    Raises:
      ArgumentError: (InputError without an argument) for a name that can be none.
    """
    text = str(name)
    why = fault(text) or ("must be of this machine" if "://" in text else "")
    if not why:
        try:
            return Path(text).expanduser()
        except RuntimeError:
            why = "has the home folder of nobody here"
    shown = printable(cut(text))
    if argument:
        raise ArgumentError(argument, f"{{name}}={shown}: {why}")
    raise InputError(f"{shown}: {why}")
