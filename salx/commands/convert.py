"""Weights from PyTorch's names to ours and back.

    python -m salx convert A B

A in PyTorch's names (.safetensors, .npz, .pth, .ckpt) gives B in ours, A in ours gives B in
PyTorch's, and A a deployment's run folder gives its trained model in PyTorch's. B is .safetensors
or .npz. Which network it is follows from the names. There and back gives the same bytes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from salx.infra.errors import InputError, renamed
from salx.models.conversion import convert
from salx.models.mobilenet import ORIGINS


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 2 for what cannot be used, which stderr names in one line."""
    parser = argparse.ArgumentParser(
        prog="python -m salx convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="A", type=Path, help="weights, or a run folder")
    parser.add_argument("target", metavar="B", type=Path, help=".safetensors or .npz")
    parser.add_argument(
        "--origin", choices=list(ORIGINS), help="whose names a MobileNetV3 gets (torchvision's)"
    )
    parser.add_argument("--weights", metavar="ema|plain", help="where A has both (ema)")
    options = parser.parse_args(arguments)
    try:
        with renamed({"weights": "--weights"}):
            print(convert(options.source, options.target, options.origin, options.weights))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
