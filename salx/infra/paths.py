"""Names of files and folders as a user gives them: expanded, and refused where they cannot be."""

import contextlib
from pathlib import Path

from salx.infra.errors import ArgumentError, InputError, cut

LONGEST, DEEPEST = 255, 4095  # bytes of a part of a path, and of all of it, on Linux


def printable(text: str) -> str:
    """Return a name as a terminal and JSON can show it.

    Args:
      text: a name of a file or folder, which may hold bytes that are not UTF-8.

    Returns:
      The name with an escape such as \\xNN for each byte that is no character and for each
      character that cannot be printed.
    """
    with contextlib.suppress(UnicodeEncodeError):  # half a pair, which stands for no byte either
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def unreadable(text: str) -> str:
    """Tell why a word that a user gave is no text.

    Args:
      text: the word.

    Returns:
      The reason, as the end of a sentence; "" where the word is text.
    """
    if "\0" in text:
        return "holds a NUL byte"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def fault(name: str) -> str:
    """Tell why no file or folder can have a name.

    Args:
      name: a path.

    Returns:
      The reason, as the end of a sentence; "" where the name can be one.
    """
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
    """Return the path of a file or folder of this machine, with `~` expanded.

    Args:
      name: what the user gave.
      argument: the argument that it came in; "" if there is none.

    Returns:
      The path; nothing has to be there.

    Raises:
      ArgumentError: with an `argument`, for a name that can be none.
      InputError: the same, without an `argument`.
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
