"""Parts of the suite that several machines run, one each: whole files, in turn by their names."""

import argparse
from collections.abc import Iterable


def shard(text: str) -> tuple[int, int]:
    """Parse `I/N`, the part I of N, from 0 to N - 1."""
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 0 to N - 1")
    return int(index), int(count)


def files_of(files: Iterable[str], index: int, count: int) -> set[str]:
    """Return the files of one part; all parts together have each file in exactly one."""
    return set(sorted(set(files))[index::count])
