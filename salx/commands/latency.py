"""python -m salx latency: a model's operations, and what accelerators would take for them.

One operation is one multiply-accumulate (MAC) of a convolution or linear layer, counted from the
model itself as it is traced, without arithmetic or weights. The latency is theoretical: GOPs over
TOPS. Without --model: the paper's Table 2, beside its figures.
"""

from collections.abc import Sequence

from salx.commands.parser import Parser
from salx.data.options import LARGEST
from salx.infra.errors import ArgumentError, InputError, cut
from salx.infra.numbers import SHOWN, whole_of
from salx.models.latency import CLASSES, FORMATS, PAPER, SIZE, TOPS, records, row


def _size(text: str) -> tuple[int, int]:
    """The (height, width) that HEIGHTxWIDTH says."""
    height, _, width = text.partition("x")
    try:
        return whole_of("size", height, 1, LARGEST), whole_of("size", width, 1, LARGEST)
    except ArgumentError as error:
        rule = f"must be HEIGHTxWIDTH, as 1024x2048, at most {LARGEST}x{LARGEST}"
        raise InputError(f"--size={cut(text, SHOWN)}: {rule}") from error


def _classes(text: str) -> int:
    """The number of classes that a text says."""
    try:
        return whole_of("classes", text, 1, 1_000_000)
    except ArgumentError as error:
        rule = "must be a positive integer, at most 1000000"
        raise InputError(f"--classes={cut(text, SHOWN)}: {rule}") from error


def _device(text: str) -> tuple[str, float]:
    """A device's name and its tera-operations per second, as NAME=VALUE says them."""
    name, _, value = text.partition("=")
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not (name and 0 < rate < float("inf")):
        raise InputError(f"--tops={text}: must be NAME=VALUE with a positive number, as Orin=50")
    return name, rate


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
      arguments: the words after its name.

    Raises:
      InputError: for what cannot be used.
    """
    parser = Parser("latency", __doc__.split(": ", 1)[1])
    parser.add_argument(
        "--model", action="append", help="name of a network, or module:Name; may repeat"
    )
    parser.add_argument("--size", type=_size, default=SIZE, metavar="HxW")
    parser.add_argument("--classes", type=_classes, default=CLASSES, metavar="N")
    parser.add_argument("--tops", type=_device, action="append", metavar="NAME=VALUE")
    parser.add_argument("--format", choices=FORMATS, default="text")
    options = parser.parse(arguments)
    rows = [row(name, options.size, options.classes) for name in options.model or PAPER]
    print(FORMATS[options.format](records(rows, dict(options.tops or TOPS))), end="")
