"""Looks at what lies where a set's files should be, for messages that say why there are none."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from absl import logging

from salx.infra.errors import InputError
from salx.infra.paths import printable

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")


def without(folder: Path, endings: Sequence[str]) -> InputError:
    """Make the error for a folder without files of the wanted kinds; it says what lies there.

    Args:
      folder: the folder.
      endings: the wanted endings of names.

    Returns:
      The error, to be raised.
    """
    kinds: Counter[str] = Counter()
    first: dict[str, str] = {}
    for _, _, names in os.walk(folder):
        for name in sorted(name for name in names if not name.startswith(".")):
            kind = os.path.splitext(name)[1]
            kinds[kind] += 1
            first.setdefault(kind, name)
    held = ", ".join(
        f"{count} that {'end' if count > 1 else 'ends'} in {kind or 'nothing'} (as {first[kind]})"
        for kind, count in kinds.most_common(3)
    )
    text = f"{folder}: holds no file whose name ends in {' or '.join(endings)}"
    return InputError(printable(f"{text}; it holds {held or 'no file at all'}"))


def packed(folder: Path) -> list[str]:
    """List the archives in a folder.

    Args:
      folder: the folder.

    Returns:
      Their names, sorted; none where the folder cannot be listed.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [name for name in names if name.lower().endswith(ARCHIVES)]


def refuse_packed(folder: Path, classes: Sequence[str]) -> None:
    """Refuse a class's archive that was not unpacked into a folder; warn of other archives.

    Args:
      folder: where the folders of the classes lie.
      classes: the names of the classes.

    Raises:
      InputError: naming the first archive of a class that has no folder.
    """
    stems = {name: name.split(".")[0] for name in packed(folder)}
    left = [
        name for name, stem in stems.items() if stem in classes and not (folder / stem).is_dir()
    ]
    if left:
        more = f", as are {len(left) - 1} more" if left[1:] else ""
        raise InputError(
            f"{folder / left[0]}: is still packed{more}; unpack each into a folder of its name, "
            f"{folder / stems[left[0]]}"
        )
    if stems:
        logging.warning(f"{folder}: archives lie there and are not read: {', '.join(stems)}")
