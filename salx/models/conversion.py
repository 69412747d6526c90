"""Files of weights from PyTorch's names to ours and back."""

import functools
from collections.abc import Mapping
from pathlib import Path

import flax.linen as nn
import jax

from salx.data.image_files import MEAN, STD
from salx.infra import checkpoint, sealed
from salx.infra.errors import InputError
from salx.infra.outputs import Guard, Input
from salx.models import model, weight_files, weights
from salx.models.recognition import recognise


def convert(
    source: Path,
    target: Path,
    origin: str | None = None,
    wanted: str | None = None,
    overwrite: bool = False,
) -> str:
    """Write the weights of a file under the other names; a run's under PyTorch's.

    Args:
      source: weights in PyTorch's names or in ours, or a finished deployment's run folder.
      target: .safetensors or .npz.
      origin: whose names a MobileNetV3 gets or has; without it, torchvision's are tried first.
      wanted: "ema" or "plain" of a checkpoint that has both; without it the EMA.
      overwrite: whether a target that is there is replaced; the source never is.

    Returns:
      What was done, as one line.

    Raises:
      InputError: naming the file, for a source that cannot be read or is of no known network, and
        for a target that cannot be written so.
    """
    weight_files.check_writable(target)
    guard, taken = Guard((Input(source, "source"),), overwrite), ""
    guard.free("target", target)
    if source.is_dir():
        module, arrays = _from_run(source)
    else:
        arrays, taken = weight_files.load(source, wanted)
        module = recognise(arrays, str(source), origin)
    named = weights.as_ours(module, arrays, str(source))
    _check_axes(module, named, arrays, source)
    if weights.is_ours(arrays):
        kind, converted = "PyTorch's", weights.as_torch(module, arrays)
    else:
        kind, converted = "our", {name: each.array for name, each in named.items()}
    guard.write("target", target, weight_files.encode(target, converted))
    both = f"; of two sets of weights {taken}" if taken else ""
    return f"{target}: {len(converted)} arrays in {kind} names{both}"


def _check_axes(
    module: nn.Module,
    named: Mapping[str, weights.Named],
    arrays: weight_files.Arrays,
    source: Path,
) -> None:
    """Check that every array has as many axes as the network's, and a number at least.

    Their lengths are those of any width. Raises InputError, naming the file and the array.
    """
    blank = model.Model(source.stem, module, (64, 64, 3), MEAN, STD)
    shapes = jax.eval_shape(functools.partial(model.init, blank), jax.random.key(0))
    shapes = weights.flatten(shapes)
    for name, (theirs, array) in named.items():
        axes = len(shapes[name].shape) if name in shapes else array.ndim
        if array.ndim != axes or not array.size:
            shape = arrays[theirs].shape
            raise InputError(
                f"{source}: {theirs} is of shape {shape}, not of {axes} axes with a length each"
            )


def _from_run(folder: Path) -> tuple[nn.Module, weight_files.Arrays]:
    """Return the module and the variables, in our names, of a finished deployment.

    Raises InputError for a folder that is none, or whose checkpoint is not the result's.
    """
    config, _, variables = checkpoint.finished(folder)
    variables.pop("head", None)  # what was trained with it is of no use elsewhere
    with sealed.using(folder / "config.json"):
        return model.described(config["model"], classes=1), weights.flatten(variables)
