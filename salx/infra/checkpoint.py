"""Checkpoints: a training's state and its step, through Orbax, with a digest.

Orbax writes a checkpoint beside its place and renames it, or in a bucket marks it as whole, so a
killed process leaves either the whole of it or none. The digest tells a damaged one from a sound
one when it is restored.
"""

import contextlib
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from logging import LogRecord
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from salx.infra import multihost, sealed, storage
from salx.infra.errors import InputError, RunError, Stopped, first_line

State = TypeVar("State")


def digest(tree: Any) -> str:
    """Give `sha256:<hex>` over the leaves of a tree: their paths, dtypes, shapes and bytes."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(tree))
    contents = []
    for path, leaf in leaves:
        leaf = np.asarray(leaf)
        contents += [f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape} ".encode()]
        contents += [np.ascontiguousarray(leaf).tobytes()]
    return sealed.digest(*contents)


class Checkpoints:
    """The checkpoints of one training, of which the newest alone stays. A context manager."""

    def __init__(self, folder: Path):
        logging.get_absl_logger().addFilter(_not_raised)  # one filter, however often
        self.folder = storage.absolute(folder)
        with storage.writing(self.folder):
            self.manager = ocp.CheckpointManager(
                self.folder,
                options=ocp.CheckpointManagerOptions(
                    preservation_policy=ocp.checkpoint_managers.LatestN(1),
                    cleanup_tmp_directories=True,
                ),
                item_handlers={
                    "state": ocp.StandardCheckpointHandler(),
                    "meta": ocp.JsonCheckpointHandler(),
                },
            )

    def __enter__(self) -> "Checkpoints":
        self._shown = sys.unraisablehook
        sys.unraisablehook = _late_errors_hidden(self._shown)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Closing waits for the other processes, and an error may be that one of them is lost.
        if kind in (None, Stopped):
            with self._writing():
                self.manager.close()
        elif multihost.process.count == 1:
            with contextlib.suppress(Exception):  # the first error is told
                self.manager.close()
        if kind is None:
            sys.unraisablehook = self._shown  # not after an error: late ones are still to come

    def save(self, step: int, state: Any) -> None:
        """Save in the background; the next save, or the end, waits for it.

        Raises:
          RunError: naming the folder, where this checkpoint or the one before it cannot be
            written.
        """
        with self._writing():
            self.manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    meta=ocp.args.JsonSave({"digest": digest(state), "step": step}),
                ),
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what Orbax and TensorStore raise, of many kinds, into one line."""
        try:
            yield
        except Exception as error:
            if storage.is_transient(error):
                raise
            line = first_line(error)
            system = re.search(r"([^:]+) \[os_error_code='\d+'\]", line)  # as TensorStore ends it
            why = system[1].strip() if system else textwrap.shorten(line, 160)
            raise RunError(f"{self.folder}: cannot be written: {why}") from error

    def restore(self, abstract: State) -> State | None:
        """Restore the newest checkpoint's state.

        Args:
          abstract: the state's shapes, dtypes and placement, as `mesh.abstract` gives them.

        Returns:
          The state; None if there is no checkpoint.

        Raises:
          InputError: names the folder of a checkpoint that is damaged.
        """
        step = self.manager.latest_step()
        if step is None:
            return None
        saved = self.read(step, abstract, meta=ocp.args.JsonRestore())
        if saved.meta != {"digest": digest(saved.state), "step": step}:
            raise self.damaged(step, "wrong digest")
        return saved.state

    def read(self, step: int, abstract: Any = None, **more: Any) -> Any:
        """Read the checkpoint of a step, from whatever devices it was saved.

        Args:
          step: the step.
          abstract: what the state shall be like; None for numpy arrays.
          **more: Orbax's arguments for what else to restore, by the item's name.

        Returns:
          Orbax's composite of `state` and the items in `more`.

        Raises:
          InputError: names the folder of a checkpoint that is damaged.
        """
        try:
            if abstract is None:
                saved = self.manager.item_metadata(step).state.tree
                abstract = jax.tree.map(_blank, saved)
            args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract), **more)
            return self.manager.restore(step, args=args)
        except Exception as error:  # Orbax and TensorStore raise many kinds for a broken file
            why = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
            raise self.damaged(step, why) from error

    def damaged(self, step: int, why: str) -> InputError:
        """Make the error for a damaged checkpoint."""
        folder = self.folder / str(step)
        return InputError(f"{folder}: damaged checkpoint (delete it to train again): {why}")


def _blank(saved: Any) -> np.ndarray:
    """Make an array like a saved one, which tells Orbax to restore as numpy."""
    return np.broadcast_to(saved.dtype.type(), saved.shape)


def finished(run: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Read a finished deployment's folder.

    Returns:
      The content of config.json, that of result.json, and the variables as numpy arrays.

    Raises:
      InputError: for a folder that is none, or whose checkpoint is not the result's.
    """
    config, result = (sealed.read_json(run / name) for name in ("config.json", "result.json"))
    saved = result["checkpoint"]
    with Checkpoints(run / "checkpoint") as checkpoints:
        state = checkpoints.read(saved["step"]).state
        variables = {name: state[name] for name in ("params", "batch_stats")}
        if state["head"]:
            variables["head"] = state["head"]["params"]
        if digest(variables) != saved["digest"]:
            raise checkpoints.damaged(saved["step"], "not the one of result.json")
    return config, result, variables


def _not_raised(record: LogRecord) -> bool:
    """False for the tracebacks that Orbax logs; what they are of is raised, and told, anyway."""
    return not (record.exc_info and "orbax" in record.pathname)


def _late_errors_hidden(shown: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Make the hook that keeps what Orbax prints after a failed read or write from the terminal.

    When one of many fails, Orbax closes their event loop and raises that error; those that fail
    after it find the loop closed and would print a traceback each.
    """

    def hook(late: Any) -> None:
        if "Event loop is closed" not in str(late.exc_value):
            shown(late)

    return hook
