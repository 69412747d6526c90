"""Label Studio's labelling configuration: one choice of class names for each image.

Source: https://labelstud.io/tags/choices. The tasks of exports.py predict with the same names.
"""

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from salx.infra import paths


def path_of(tasks: Path) -> Path:
    """Return the configuration's file beside that of the tasks: tasks.labels.xml."""
    return tasks.with_name(f"{tasks.stem}.labels.xml")


def encode(names: Iterable[str]) -> bytes:
    """Return the configuration of a choice among class names, as XML in UTF-8."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name="image", value="$image")
    choices = ElementTree.SubElement(view, "Choices", name="label", toName="image", choice="single")
    for name in names:
        ElementTree.SubElement(choices, "Choice", value=paths.printable(name))
    ElementTree.indent(view)
    return (ElementTree.tostring(view, "unicode") + "\n").encode()  # it takes no declaration
