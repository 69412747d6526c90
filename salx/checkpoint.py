"""Checkpoints: state, data iterator and step together, through Orbax, with a digest.

Orbax writes a checkpoint beside its place and renames it, so a killed process leaves either
the whole of it or none. The digest tells a damaged one from a sound one when it is restored.
"""

import contextlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp

from salx import peers, runs
from salx.errors import InputError, Stopped

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

    def __exit__(self, kind: type[BaseException] | None, *_) -> None:
        # Closing waits for the other processes, and an error may be that one of them is lost.
        if kind in (None, Stopped) or peers.here.count == 1:
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
            with late_errors_hidden():
                saved = self.manager.restore(
                    step,
                    args=ocp.args.Composite(
                        state=ocp.args.StandardRestore(abstract),
                        data=grain.checkpoint.CheckpointRestore(batches),
                        meta=ocp.args.JsonRestore(),
                    ),
                )
            intact, why = (
                saved.meta == {"digest": digest(saved.state), "step": step},
                "wrong digest",
            )
        except Exception as error:  # Orbax and TensorStore raise many kinds for a broken file
            intact, why = False, textwrap.shorten(f"{type(error).__name__}: {error}", 120)
        if not intact:
            raise InputError(
                f"{self.folder / str(step)}: damaged checkpoint (delete it to train again): {why}"
            )
        return saved.state


@contextlib.contextmanager
def late_errors_hidden() -> Iterator[None]:
    """When one read of many fails, Orbax closes their event loop and raises that error; those
    that fail after it find the loop closed and would print a traceback each."""
    shown = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    yield
    sys.unraisablehook = shown  # not after an error: the others are still to come
