"""Names of the classes that a network of a file, or a function, predicts."""

import re
from collections.abc import Iterable
from pathlib import Path

from salx.data.sets.classes import IMAGENET_NAMES
from salx.infra import paths
from salx.infra.errors import ArgumentError

# The first digits of the digests of torchvision's files of weights of ImageNet, which its names of
# files end in: resnet18, 34 and 50, mobilenet_v3_small and _large, each of 1,000 classes.
PUBLISHED = (
    *("5c106cde", "f37072fd", "333f7ec4", "b627a593", "19c8e357", "0676ba61", "11ad3fa6"),
    *("047dcff4", "8738ca79", "5c1a4163"),
)


def names(classes: str | Path | Iterable[str]) -> tuple[str, ...]:
    """Read class names.

    Args:
      classes: "imagenet" for its 1,000; a text file with a name a line; or the names.

    Returns:
      The names, all different; the position of a name is its class.

    Raises:
      ArgumentError: naming the file and line, for what cannot be read, names that are empty or
        come twice, and those that cannot be shown.
    """
    if classes == "imagenet":
        return IMAGENET_NAMES
    if isinstance(classes, str | Path):
        return _checked(_lines(classes), f"{{name}}={paths.printable(str(classes))}: line")
    if not isinstance(classes, Iterable):
        raise ArgumentError("classes", f"{{name}}={classes!r} is no list of names")
    return _checked([str(name) for name in classes], "{name}: name")


def of_network(
    classes: str | Path | Iterable[str] | None, count: int, digest: str, where: str
) -> tuple[str, ...]:
    """Tell the names of a network's classes.

    Without `classes` only those of torchvision's files of ImageNet weights are certain, by the
    files' digests. Any other network of 1,000 classes may be of another set, or in another order.

    Args:
      classes: as of `names`; None where the user does not say.
      count: how many classes the network has.
      digest: `sha256:<hex>` of the file.
      where: the file, for messages.

    Returns:
      `count` names, or () where nobody tells them.

    Raises:
      ArgumentError: as `names`, and for another number of names.
    """
    if classes is None:
        published = digest.removeprefix("sha256:").startswith(PUBLISHED)
        return IMAGENET_NAMES if published and count == len(IMAGENET_NAMES) else ()
    each = names(classes)
    if len(each) != count:
        which = f"={classes}" if isinstance(classes, str | Path) else ""
        why = f"has {len(each)} names, and {where} has {count} classes"
        raise ArgumentError("classes", f"{{name}}{paths.printable(which)} {why}")
    return each


def _lines(file: str | Path) -> list[str]:
    """The lines of a text file, without empty ones at its end."""
    path = paths.local(file, "classes")
    shown = f"{{name}}={paths.printable(str(file))}"
    if not path.is_file():
        raise ArgumentError("classes", f"{shown}: there is no such file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ArgumentError("classes", f"{shown}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ArgumentError("classes", f"{shown}: is no UTF-8 text") from error
    return [line.strip() for line in re.split("\r\n|\r|\n", text.rstrip())]


def _checked(each: list[str], where: str) -> tuple[str, ...]:
    """The names, if they are some and differ; `where` is what stands before a name's number."""
    first: dict[str, int] = {}
    for number, name in enumerate(each, 1):
        if not name.strip():
            raise ArgumentError("classes", f"{where} {number} is empty")
        if name != paths.printable(name):
            why = f"{where} {number} holds what cannot be shown: {paths.printable(name)}"
            raise ArgumentError("classes", why)
        if name in first:
            why = f"{where} {number}: {name} is the name of class {first[name] - 1} already"
            raise ArgumentError("classes", why)
        first[name] = number
    return tuple(each)
