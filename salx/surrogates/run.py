"""The trained model of a finished run's folder, W/deployments/..., as a surrogate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salx import tasks
from salx.infra import checkpoint, sealed
from salx.models.model import Model, described
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing

FIELDS = {  # of config.json, that are used as they are
    "input.shape": tuple[int, ...],
    "input.mean": tuple[float, ...],
    "input.std": tuple[float, ...],
    "input.classes": tuple[str, ...],
    "model.label": str,
}


def load(folder: Path) -> Network:
    """Read the model of a deployment's folder, of this version of SALX or of one before it.

    Args:
      folder: W/deployments/..., of a run that is finished.

    Returns:
      The trained network as a surrogate.

    Raises:
      InputError: naming the file, for a folder that is no finished run's, or is damaged.
    """
    config, result, variables = checkpoint.finished(folder)
    sealed.require(folder / "config.json", config, FIELDS)
    with sealed.using(folder / "config.json"):
        view = config["input"]
        module = described(config["model"], classes=len(view["classes"]))
        shape, mean, std = _pixels(view)
        head = next(iter((config["head"] or {}).items()), None)
        return Network(
            model=Model(config["model"]["label"], module, shape, mean, std),
            arrays=variables,
            task=tasks.get(view["task"]),
            classes=tuple(view["classes"]),
            preprocessing=Preprocessing(shape, mean, std, view["transform"]),
            origin={"run": config["run"], **result["checkpoint"]},
            head_of=head,
        )


def _pixels(view: Mapping[str, Any]) -> tuple[tuple, tuple, tuple]:
    """The shape, mean and std of an image; raises ValueError where they do not fit together."""
    shape, mean, std = (tuple(view[field]) for field in ("shape", "mean", "std"))
    if len(shape) != 3 or not len(mean) == len(std) == shape[2]:
        raise ValueError("input.mean and input.std have a number for each channel")
    return shape, mean, std
