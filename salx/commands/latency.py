"""python -m salx latency: a model's operations, and what accelerators would take for them.

One operation is one multiply-accumulate (MAC) of a convolution or linear layer, counted from the
model itself as it is traced, without arithmetic or weights. The latency is theoretical: GOPs over
TOPS. Without --model: the paper's Table 2, beside its figures.
"""

import sys
from collections.abc import Sequence

from salx.commands.parser import Parser
from salx.infra.errors import InputError, verdict
from salx.models.latency import CLASSES, FORMATS, PAPER, SIZE, TOPS, records, row


def size(text: str) -> tuple[int, int]:
    """Parse HEIGHTxWIDTH."""
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) * int(width)):
        raise InputError(f"--size={text}: must be HEIGHTxWIDTH, as 1024x2048")
    return int(height), int(width)


def classes(text: str) -> int:
    """Parse a number of classes."""
    if not (text.isdecimal() and int(text)):
        raise InputError(f"--classes={text}: must be a positive integer")
    return int(text)


def device(text: str) -> tuple[str, float]:
    """Parse a device's name and its tera-operations per second."""
    name, _, value = text.partition("=")
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not (name and 0 < rate < float("inf")):
        raise InputError(f"--tops={text}: must be NAME=VALUE with a positive number, as Orin=50")
    return name, rate


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0, or 2 for bad input, which stderr names in one line."""
    parser = Parser("latency", __doc__.split(": ", 1)[1])
    parser.add_argument(
        "--model", action="append", help="name of a network, or module:Name; may repeat"
    )
    parser.add_argument("--size", type=size, default=SIZE, metavar="HxW")
    parser.add_argument("--classes", type=classes, default=CLASSES, metavar="N")
    parser.add_argument("--tops", type=device, action="append", metavar="NAME=VALUE")
    parser.add_argument("--format", choices=FORMATS, default="text")
    try:
        options = parser.parse(arguments)
        rows = [row(name, options.size, options.classes) for name in options.model or PAPER]
    except InputError as error:
        code, line = verdict(error)
        print(line, file=sys.stderr)
        return code
    print(FORMATS[options.format](records(rows, dict(options.tops or TOPS))), end="")
    return 0
