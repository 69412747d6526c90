"""Weights from PyTorch's names to ours and back.

    python -m salx convert A B

A in PyTorch's names (.safetensors, .npz, .pth, .ckpt) gives B in ours, A in ours gives B in
PyTorch's, and A a deployment's run folder gives its trained model in PyTorch's. B is .safetensors
or .npz. Which network it is follows from the names. There and back gives the same bytes. A file B
that is there stays, unless --overwrite; A is never replaced.
"""

import sys
from collections.abc import Sequence

from salx.commands.parser import Parser
from salx.infra import paths
from salx.infra.errors import InputError, RunError, renamed, verdict
from salx.models.conversion import convert
from salx.models.mobilenet import ORIGINS


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 2 for what cannot be used, which stderr names in one line."""
    parser = Parser("convert", __doc__)
    parser.add_argument("source", metavar="A", help="weights, or a run folder")
    parser.add_argument("target", metavar="B", help=".safetensors or .npz")
    parser.add_argument(
        "--origin", choices=list(ORIGINS), help="whose names a MobileNetV3 gets (torchvision's)"
    )
    parser.add_argument("--weights", metavar="ema|plain", help="where A has both (ema)")
    parser.add_argument("--overwrite", action="store_true", help="replace B where it is there")
    names = {"source": "A", "target": "B", "overwrite": "--overwrite", "weights": "--weights"}
    try:
        with renamed(names):
            options = parser.parse(arguments)
            source, target = (
                paths.local(getattr(options, name), name) for name in ("source", "target")
            )
            how = options.origin, options.weights, options.overwrite
            print(convert(source, target, *how))
    except (InputError, RunError, OSError) as error:
        code, line = verdict(error)
        print(line, file=sys.stderr)
        return code
    return 0
