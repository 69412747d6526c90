"""Checkpoints: a training's state and its step, through Orbax, with a digest.

Orbax writes a checkpoint under another name and renames it, or in a bucket marks it as whole, so
a killed process leaves either the whole of it or none. The digest tells a damaged one from a
sound one when it is restored.
"""

import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
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
    """Compute the digest of a tree of arrays: over their paths, dtypes, shapes and bytes.

    Args:
      tree: a pytree of arrays, on the devices or on the host.

    Returns:
      `sha256:<64 hexadecimal digits>`.
    """
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(tree))
    contents = []
    for path, leaf in leaves:
        leaf = np.asarray(leaf)
        contents += [f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape} ".encode()]
        contents += [np.ascontiguousarray(leaf).tobytes()]
    return sealed.digest(*contents)


class Checkpoints:
    """Save and restore the checkpoints of one training, of which only the newest stays.

    A context manager, which waits at its end for the last save.

    Args:
      folder: where they are.
      finished: whether the training is over, so that only the newest will do.

    Attributes:
      folder: the folder, as an absolute path.
      finished: as in Args.
      manager: Orbax's manager of the folder.
    """

    def __init__(self, folder: Path, finished: bool = False):
        logging.get_absl_logger().addFilter(_not_raised)  # one filter, however often
        self.folder, self.finished = storage.absolute(folder), finished
        self._began_with = self._folders()  # before Orbax removes what it knows to be incomplete
        for step in sorted(self._began_with):
            self._check_files(step)  # before Orbax opens any
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

    def save(self, step: int, state: Any, notes: Mapping[str, Any] | None = None) -> None:
        """Save a state in the background; the next save, or the end, waits for it.

        Args:
          step: the step, counted from 1.
          state: a pytree of arrays, which `restore` gives back.
          notes: what `resume` gives back with it, in JSON's types; None for nothing.

        Raises:
          RunError: naming the folder, where this checkpoint or the one before it cannot be written.
        """
        meta = {"digest": _seal(state, notes), "step": step}
        with self._writing():
            self.manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    meta=ocp.args.JsonSave({**meta, "notes": notes} if notes else meta),
                ),
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what Orbax and TensorStore raise, of many kinds, into one line."""
        try:
            yield
        except Exception as error:
            lost = isinstance(error, jax.errors.JaxRuntimeError)  # another process, as a rule
            if lost or storage.is_transient(error):
                raise
            line = first_line(error)
            system = re.search(r"([^:]+) \[os_error_code='\d+'\]", line)  # as TensorStore ends it
            why = system[1].strip() if system else textwrap.shorten(line, 160)
            raise RunError(f"{self.folder}: cannot be written: {why}") from error

    def restore(self, abstract: State) -> State | None:
        """Restore the newest sound checkpoint's state, without its notes.

        Args:
          abstract: as for `resume`.

        Returns:
          The state; None if there is no checkpoint.

        Raises:
          InputError: as `resume` does.
        """
        saved = self.resume(abstract)
        return saved[0] if saved else None

    def resume(self, abstract: State) -> tuple[State, dict[str, Any]] | None:
        """Restore the newest sound checkpoint's state and notes.

        Where a newer one is incomplete or damaged, it is removed, and a line says so: its steps are
        trained again, to the same state. That of a finished training, and one that several
        processes would have to agree on, must be sound.

        Args:
          abstract: the state's shapes, dtypes and placement, as `mesh.abstract` gives them.

        Returns:
          The state, and the notes that were saved with it; None if there is no checkpoint.

        Raises:
          InputError: names the folder of the newest checkpoint, if none is sound.
        """
        why = None
        for step in self._candidates():
            try:
                saved = self.read(step, abstract, meta=ocp.args.JsonRestore())
                meta = {"notes": None, **(saved.meta if isinstance(saved.meta, dict) else {})}
                notes = meta.pop("notes")
                if meta != {"digest": _seal(saved.state, notes), "step": step}:
                    raise self.damaged(step, "wrong digest")
            except InputError as error:
                why = why or error
                continue
            self._leave_out_after(step)
            return saved.state, notes or {}
        if why:
            raise why
        return None

    def _folders(self) -> set[int]:
        """List the steps that have a folder.

        In a bucket, where a folder without Orbax's mark is what a killed process has left, it lists
        none.
        """
        if storage.in_bucket(self.folder) or not self.folder.is_dir():
            return set()
        names = (path.name for path in self.folder.iterdir() if path.is_dir())
        return {int(name) for name in names if name.isdecimal() and len(name) < 20}

    def _candidates(self) -> list[int]:
        """List the steps to go on from, the newest first, of those that Orbax takes for complete.

        Raises InputError where a finished training's newest is none of them.
        """
        steps = sorted(self.manager.all_steps(), reverse=True)
        if self.finished and self._began_with and max(self._began_with) not in steps:
            raise self.damaged(max(self._began_with), "incomplete")
        return steps[:1] if self.finished or multihost.process.count > 1 else steps

    def _leave_out_after(self, step: int) -> None:
        """Remove the checkpoints after the one to go on from; say so, where there are any."""
        late = [other for other in self._began_with if other > step]
        if not late or not multihost.is_main():
            return
        if left := [self.folder / str(other) for other in self._folders() if other > step]:
            for path in left:
                storage.remove(path)
            self.manager.reload()
        where, why = self.folder / str(max(late)), "incomplete or damaged checkpoint"
        print(f"salx: {where}: {why}; the run goes on from step {step}", file=sys.stderr)

    def read(self, step: int, abstract: Any = None, **more: Any) -> Any:
        """Read the checkpoint of a step, from whatever devices it was saved.

        Args:
          step: the step.
          abstract: the shapes, dtypes and placement that the state is to have; None for numpy
            arrays.
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

    def _check_files(self, step: int) -> None:
        """Raise InputError for what is no file, such as a pipe, for which Orbax would wait."""
        if storage.in_bucket(self.folder):
            return
        for above, _, names in os.walk(self.folder / str(step)):
            for path in (Path(above) / name for name in names):
                if path.exists() and not path.is_file():
                    raise self.damaged(step, f"{path} is no file")

    def damaged(self, step: int, why: str) -> InputError:
        """Make the error for a damaged checkpoint.

        Args:
          step: of the checkpoint.
          why: what is wrong with it.

        Returns:
          The error, which names the checkpoint's folder; to be raised by the caller.
        """
        folder = self.folder / str(step)
        return InputError(f"{folder}: damaged checkpoint (delete it to train again): {why}")


def _seal(state: Any, notes: Any) -> str:
    """Compute the digest of a state, and of the notes where there are any."""
    seal = digest(state)
    return sealed.digest(seal.encode(), sealed.canonical(notes)) if notes else seal


def _blank(saved: Any) -> np.ndarray:
    """Make an array like a saved one, which tells Orbax to restore as numpy."""
    return np.broadcast_to(saved.dtype.type(), saved.shape)


def finished(run: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Read a finished deployment's folder.

    Args:
      run: the folder.

    Returns:
      The content of config.json, that of result.json, and the variables as numpy arrays by
      collection: "params", "batch_stats" and, of a module that was trained along, "head".

    Raises:
      InputError: for a folder that is none, or whose checkpoint is not the result's.
    """
    config = sealed.read_json(run / "config.json", {"run": str})
    fields = {"checkpoint.step": int, "checkpoint.digest": str}
    result = sealed.read_json(run / "result.json", fields)
    saved = result["checkpoint"]
    with Checkpoints(run / "checkpoint", finished=True) as checkpoints:
        state = checkpoints.read(saved["step"]).state
        with sealed.using(checkpoints.folder / str(saved["step"])):
            variables = {name: state[name] for name in ("params", "batch_stats")}
            if state["head"]:
                variables["head"] = state["head"]["params"]
        if digest(variables) != saved["digest"]:
            raise checkpoints.damaged(saved["step"], "not the one of result.json")
    return config, result, variables


def _not_raised(record: LogRecord) -> bool:
    """Keep the tracebacks that Orbax logs from the terminal: their errors are raised as well."""
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
