"""What is odd in any grammar: texts, numbers, bytes, and what a path can lead to."""

import os
import random
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.fuzz.case import Ground

# Names and words. None leads out of a case's folder to what could be written.
TEXTS = (
    *("", " ", "\t", "\n", "a\nb", "a\rb", "-", "--", ".", "..", "../..", "./.", "~", "~nobody-x"),
    *(
        "a\0b",
        "\ufeffa",
        "a\u2028b",
        "\u202ecba",
        "👩‍👩‍👧",
        "höhe",
        "日本",
        "e\u0301",
        "\x1b[31mred",
    ),
    *("\udc80", "a\udcffb", "\ud800", "a" * 300, "a/" * 2500, "x" * 100_000),
    *("%", "%s", "{}", "{name}", "{.other}", "{0}", "$HOME", "`id`", "';--", '"', "\\", "C:\\x"),
    *(
        "nan",
        "NaN",
        "inf",
        "-inf",
        "-1",
        "0",
        "1e999",
        "1.5",
        "1_0",
        "0x10",
        "\uff11\uff12",
        "²",
        "9" * 5000,
    ),
    *(
        "100000000000000000000",
        "true",
        "null",
        "None",
        "[]",
        "{}",
        "[1",
        "a=b",
        "a,b",
        ",",
        "=",
        ":",
    ),
    *("http://x/y", "file:///x", "gs://", "s3://b/k", "a:b", ":b", "a:", "a:b:c", "a+b", "+", "*"),
)
# Expressions of Python that are no whole number above 0, and no finite number from 0 to 1.
NO_WHOLE = (
    *("None", "'x'", "'3'", "b'3'", "''", "1.5", "float('nan')", "float('inf')", "-float('inf')"),
    *("-1", "10**20", "-10**20", "2**63", "10**5000", "1e999", "[]", "[3]", "(3,)", "{}", "True"),
    *("{'a': 1}", "3j", "object()", "print", "lambda: 3", "...", "float"),
)
NO_REAL = tuple(each for each in NO_WHOLE if each not in ("True", "1.5", "10**20", "2**63"))
NO_TEXT = (
    "3",
    "None",
    "1.5",
    "float('nan')",
    "[]",
    "['a']",
    "{}",
    "{'a': 1}",
    "True",
    "b'a'",
    "print",
)
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 44730000\n"
)
PAGE = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Gone</body></html>\n"


def text(rng: random.Random) -> str:
    """Draw an odd word."""
    return rng.choice(TEXTS)


def misspelt(rng: random.Random, name: str) -> str:
    """A near name that is no beginning of the name."""
    index = rng.randrange(len(name) - 1)
    swapped = name[:index] + name[index + 1] + name[index] + name[index + 2 :]
    doubled = name[: index + 1] + name[index] + name[index + 1 :]
    return rng.choice([swapped if swapped != name else doubled, doubled, name + "s", name.upper()])


def spoiled(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """What became of a file's content, and how."""
    size, index = len(content), rng.randrange(max(1, len(content)))
    flipped = bytearray(content or b"\0")
    for _ in range(rng.choice([1, 1, 8, 100])):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    every: dict[str, Callable[[], bytes]] = {
        "emptied": lambda: b"",
        "cut": lambda: content[:index],
        "cut near its end": lambda: content[: max(0, size - rng.randrange(1, 9))],
        "flipped": lambda: bytes(flipped),
        "with a hole": lambda: (
            content[:index] + bytes(min(64, size - index)) + content[index + 64 :]
        ),
        "with more after it": lambda: content + rng.randbytes(100),
        "twice": lambda: content + content,
        "noise": lambda: rng.randbytes(rng.choice([1, 8, 500, 5000])),
        "zeros": lambda: bytes(1000),
        "a git-lfs pointer": POINTER.encode,
        "a web page": PAGE.encode,
        "UTF-16": lambda: content.decode("latin-1").encode("utf-16"),
        "behind a BOM": lambda: b"\xef\xbb\xbf" + content,
        "one long line": lambda: b"a" * 300_000,
        "a line break": lambda: b"\n",
        "NULs and text": lambda: b"a\0b\n\0\n",
        "not UTF-8": lambda: b"\xff\xfe\xe4,\xf6\n\x80\n",
    }
    kind = rng.choice([*every])
    return kind, every[kind]()


# What is there in the place of a file, and whether reading it may block or never end.
BLOCKING = ("a pipe", "an endless device")
PLACES = (
    *("a folder", "a link to nothing", "a link to itself", "two links in a loop", "a socket"),
    *("nothing", "a link to /dev/null", "a link to a folder", *BLOCKING),
)


def put(ground: Ground, name: str, kinds: Sequence[str] = ()) -> tuple[str, bool]:
    """Put what is no file where one is expected.

    Args:
      ground: of the case.
      name: of the file, below the folder where the command runs.
      kinds: of PLACES, to draw one from; all unless given.

    Returns:
      What it is, and whether it may block.
    """
    kind, path = ground.rng.choice(kinds or PLACES), ground.cwd / name
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    if kind == "a folder":
        path.mkdir()
    elif kind == "a link to nothing":
        path.symlink_to("gone")
    elif kind == "a link to itself":
        path.symlink_to(path.name)
    elif kind == "two links in a loop":
        path.symlink_to(f"{path.name}.other")
        path.with_name(f"{path.name}.other").symlink_to(path.name)
    elif kind == "a socket":
        _socket(path)
    elif kind == "a link to /dev/null":
        path.symlink_to(os.devnull)
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "an endless device":
        path.symlink_to("/dev/zero")
    elif kind == "a link to a folder":
        (path.parent / "a folder of mine").mkdir()
        path.symlink_to("a folder of mine")
    return kind, kind in BLOCKING


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _socket(path: Path) -> None:
    """Leave a socket's name; the name of a socket must be short, so it is made from its folder."""
    folder = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(folder)
