"""Label Studio's labelling configuration: one choice of class names for each image.

Source: https://labelstud.io/tags/choices. The tasks of exports.py predict with the same names.
"""

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from salx.infra import paths


def path_of(tasks: Path) -> Path:
    """Name the configuration's file, in the folder of the tasks: tasks.labels.xml.

    Args:
      tasks: the file of the tasks.

    Returns:
      Its path.
    """
    return tasks.with_name(f"{tasks.stem}.labels.xml")


def encode(names: Iterable[str]) -> bytes:
    """Make the labelling configuration of a choice among class names.

    Args:
      names: of the classes.

    Returns:
      The file's content, XML in UTF-8.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name="image", value="$image")
    choices = ElementTree.SubElement(view, "Choices", name="label", toName="image", choice="single")
    for name in names:
        ElementTree.SubElement(choices, "Choice", value=paths.printable(name))
    ElementTree.indent(view)
    return (ElementTree.tostring(view, "unicode") + "\n").encode()  # it takes no declaration
