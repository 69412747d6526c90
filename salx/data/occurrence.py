"""Warnings of classes that occur nowhere, which is seldom meant, in a line each."""

from collections.abc import Iterable, Sequence

import numpy as np
from absl import logging

from salx.data import decoding
from salx.data.decoding import IGNORED
from salx.data.image_files import ClassifiedFiles, MaskedFiles
from salx.data.sources import spread

SAMPLE = 64  # masks that are looked at, spread evenly


def sampled_values(masks: MaskedFiles, most: int = SAMPLE) -> tuple[frozenset[int], int]:
    """Collect the values that masks store, without reading all of them.

    Args:
      masks: the source of the masks.
      most: how many of them to read, spread evenly.

    Returns:
      The values, and in how many masks they were looked for. A mask that cannot be read is
      passed over; it is named when its turn comes.
    """
    values, read = set(), 0
    for number in spread(len(masks), most).tolist():
        try:
            stored = decoding.read_mask(masks.root / masks.masks[number])
        except (OSError, ValueError):
            continue
        values |= {*np.flatnonzero(np.bincount(stored.ravel(), minlength=256)).tolist()}
        read += 1
    return frozenset(values), read


def warn_of_masks(masks: MaskedFiles, classes: Sequence[str], where: str) -> None:
    """Warn of masks that hold only 0 and 255, and of classes that are in none.

    Args:
      masks: files that hold indices of classes.
      classes: their names.
      where: what the masks are of, for the warning.
    """
    values, read = sampled_values(masks)
    if not read:
        return
    looked = f"the {read} masks that were looked at" if read < len(masks) else f"its {read} masks"
    if values == {0, IGNORED}:
        logging.warning(
            f"{where}: {looked} hold only 0 and {IGNORED}, which usually mean background and "
            f"object; but {IGNORED} is not counted here, so that all that counts is "
            f"{classes[0]!r}: write the object's pixels as 1, and name both classes"
        )
        return
    absent = [name for number, name in enumerate(classes) if number not in values]
    _warn_of_absent(absent, looked, where)


def warn_of_labels(sources: Iterable[ClassifiedFiles], classes: Sequence[str], where: str) -> None:
    """Warn of classes that are no image's label, and of names that differ in their case alone.

    Args:
      sources: the sources of all splits.
      classes: the names of the classes, by index.
      where: the set's folder, for the warnings.
    """
    present = {int(label) for source in sources for label in np.unique(source.labels)}
    absent = [name for number, name in enumerate(classes) if number not in present]
    _warn_of_absent(absent, "its labels", where)
    spelled: dict[str, str] = {}
    for name in classes:
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            logging.warning(f"{where}: {other!r} and {name!r} are two classes")


def _warn_of_absent(absent: Sequence[str], among: str, where: str) -> None:
    """Warn of the classes that occur nowhere, if there are any."""
    if absent:
        names = ", ".join(map(repr, absent[:8])) + (", ..." if len(absent) > 8 else "")
        many = "class occurs" if len(absent) == 1 else "classes occur"
        logging.warning(f"{where}: {len(absent)} {many} in none of {among}: {names}")
