"""Weights from PyTorch's names to ours and back.

    python -m salx convert A B

A in PyTorch's names (.safetensors, .npz, .pth, .ckpt) gives B in ours, A in ours gives B in
PyTorch's, and A a deployment's run folder gives its trained model in PyTorch's. B is .safetensors
or .npz. Which network it is follows from the names. There and back gives the same bytes. A file B
that is there stays, unless --overwrite; A is never replaced.
"""

from collections.abc import Sequence

from salx.commands.parser import Parser
from salx.infra import paths
from salx.infra.errors import renamed
from salx.models.conversion import convert
from salx.models.mobilenet import ORIGINS


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
      arguments: the words after its name.

    Raises:
      InputError: for what cannot be used.
      RunError: where the disk is full.
    """
    parser = Parser("convert", __doc__)
    parser.add_argument("source", metavar="A", help="weights, or a run folder")
    parser.add_argument("target", metavar="B", help=".safetensors or .npz")
    parser.add_argument(
        "--origin", choices=list(ORIGINS), help="whose names a MobileNetV3 gets (torchvision's)"
    )
    parser.add_argument("--weights", metavar="ema|plain", help="where A has both (ema)")
    parser.add_argument("--overwrite", action="store_true", help="replace B where it is there")
    names = {"source": "A", "target": "B", "overwrite": "--overwrite", "weights": "--weights"}
    with renamed(names):
        options = parser.parse(arguments)
        source, target = (
            paths.local(getattr(options, name), name) for name in ("source", "target")
        )
        print(convert(source, target, options.origin, options.weights, options.overwrite))
