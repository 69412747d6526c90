"""Weights from PyTorch's names to ours and back.

    python -m salx convert A B

A in PyTorch's names (.safetensors, .npz, .pth) gives B in ours, A in ours gives B in PyTorch's,
and A a deployment's run folder gives its trained model in PyTorch's. B is .safetensors or .npz.
Which network it is follows from the names. There and back gives the same bytes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import flax.linen as nn

from salx import models
from salx.infra import checkpoint
from salx.infra.errors import InputError
from salx.models import weights
from salx.models.mobilenet import ORIGINS
from salx.models.recognition import recognise


def main(arguments: Sequence[str]) -> int:
    """Runs the command; 2 for what cannot be used, which stderr names in one line."""
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
    given = parser.parse_args(arguments)
    try:
        print(convert(given.source, given.target, given.origin))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def convert(source: Path, target: Path, origin: str | None = None) -> str:
    """Writes `target`; returns what was done. Raises InputError, naming the file."""
    if source.is_dir():
        module, arrays = from_run(source)
    else:
        arrays = weights.read(source)
        module = recognise(arrays, str(source), origin)
    if weights.is_ours(arrays):
        kind, converted = "PyTorch's", weights.as_torch(module, arrays)
    else:
        named = weights.as_ours(module, arrays)
        kind, converted = "our", {name: array for name, (_, array) in named.items()}
    weights.write(target, converted)
    return f"{target}: {len(converted)} arrays in {kind} names"


def from_run(folder: Path) -> tuple[nn.Module, weights.Arrays]:
    """Module and variables, in our names, of a finished deployment.

    Raises InputError for a folder that is none, or whose checkpoint is not the result's.
    """
    config, _, variables = checkpoint.finished(folder)
    module = models.described(config["model"], classes=1)
    variables.pop("head", None)  # what was trained beside it is of no use elsewhere
    return module, weights.flatten(variables)
