"""Checkpoints: state, data iterator and step together, through Orbax, with a digest.

Orbax writes a checkpoint beside its place and renames it, so a killed process leaves either
the whole of it or none. The digest tells a damaged one from a sound one when it is restored.
"""

from pathlib import Path
from typing import TypeVar

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp

from salx import runs
from salx.errors import InputError

State = TypeVar("State")


def digest(tree) -> str:
    """`sha256:<hex>` over the leaves of a tree: their paths, dtypes, shapes and bytes."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(tree))
    parts = []
    for path, leaf in leaves:
        leaf = np.asarray(leaf)
        parts += [f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape} ".encode()]
        parts += [np.ascontiguousarray(leaf).tobytes()]
    return runs.digest(*parts)


class Checkpoints:
    """The checkpoints of one training, the newest alone kept. A context manager."""

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self.manager = ocp.CheckpointManager(
            self.folder,
            options=ocp.CheckpointManagerOptions(
                preservation_policy=ocp.checkpoint_managers.LatestN(1),
                cleanup_tmp_directories=True,
            ),
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *error) -> None:
        self.manager.close()

    def save(self, step: int, state: State, batches: grain.DatasetIterator) -> None:
        """Saves before the next batch is read, so that model and data stay in step."""
        self.manager.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(state),
                data=grain.checkpoint.CheckpointSave(batches),
                meta=ocp.args.JsonSave({"digest": digest(state), "step": step}),
            ),
        )

    def restore(self, abstract: State, batches: grain.DatasetIterator) -> State | None:
        """The newest checkpoint, with `batches` moved to where it stood; None if there is none.

        Raises InputError, naming the folder, for a checkpoint that is damaged.
        """
        step = self.manager.latest_step()
        if step is None:
            return None
        try:
            saved = self.manager.restore(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(abstract),
                    data=grain.checkpoint.CheckpointRestore(batches),
                    meta=ocp.args.JsonRestore(),
                ),
            )
            intact = saved.meta == {"digest": digest(saved.state), "step": step}
        except Exception as error:  # Orbax and TensorStore raise many kinds for a broken file
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise InputError(f"{self.folder / str(step)}: damaged checkpoint: {first}") from error
        if not intact:
            raise InputError(f"{self.folder / str(step)}: damaged checkpoint: wrong digest")
        return saved.state
