"""The scoring pass: one function of one example, vmapped, jitted, sharded over the pool."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from salx.data import loader
from salx.data.datasets import Dataset
from salx.data.options import READ_HERE, Readers
from salx.infra import mesh, multihost
from salx.policies.policy import Policy, rows_of
from salx.policies.scored import Rows
from salx.scoring.predictions import predicted
from salx.scoring.saved_pass import SavedPass, flatten, unflatten
from salx.surrogates.outputs import Outputs, as_one_model
from salx.surrogates.surrogate import Surrogate

Watch = Callable[[int, int], None]
IN_FLIGHT = 2  # batches whose rows have not come back yet, beside the newest


@dataclass(frozen=True)
class Question:
    """Describe what is asked of each example.

    Attributes:
      surrogate: who answers.
      policy: whose score is computed of the answer.
      seed: of passes and policies that draw random numbers.
      predictions: whether each example's class is noted as well (see salx.scoring.predictions).
      maps: whether the policy's values at each position are computed in place of its score.
    """

    surrogate: Surrogate
    policy: Policy
    seed: int = 0
    predictions: bool = False
    maps: bool = False

    @property
    def key(self) -> tuple:
        """Collect by value what the compiled step depends on.

        The seed is none of it: it is an argument of the step.
        """
        policy = self.policy
        return (
            *(self.surrogate.trace_key, policy.scoring_key, policy.needs.passes),
            *(policy.needs.members, policy.oracle, self.predictions, self.maps),
        )


@dataclass(frozen=True)
class Reading:
    """Describe how a pass reads the pool.

    Attributes:
      batch: the number of examples in a global batch.
      readers: the threads and processes that work ahead.
    """

    batch: int
    readers: Readers = READ_HERE


class Scorer:
    """Run scoring passes, and keep the steps that were compiled for them.

    Two questions that are equal by value share a step; all are freed with the scorer.
    """

    def __init__(self) -> None:
        self._steps: dict[tuple, Callable] = {}

    def step(self, question: Question) -> Callable:
        """Return the jitted step of a question, made at the first call.

        Args:
          question: what is asked of each example.

        Returns:
          (variables or answers, seed, batch) -> rows. The first are the variables of a surrogate
          that jax can trace, and the outputs of any other.
        """
        if question.key not in self._steps:
            name = f"score {question.surrogate.label}"
            placed = mesh.Placement(batched=(2,), split_output=True)
            if not question.surrogate.traceable:
                placed = mesh.Placement(batched=(0, 2), split_output=True)
            self._steps[question.key] = mesh.jit(_step(question), name, placed)
        return self._steps[question.key]

    def score(
        self,
        question: Question,
        dataset: Dataset,
        ids: Int[np.ndarray, " n"],
        reading: Reading,
        saved: SavedPass | None = None,
        watch: Watch = lambda done, total: None,
    ) -> Rows:
        """Ask about examples of the pool.

        Args:
          question: who is asked, and what is computed.
          dataset: whose pool, brought to what the surrogate sees.
          ids: the examples' numbers in the pool, in the order of the rows.
          reading: how the pool is read.
          saved: where the pass is kept, so that it can be stopped and goes on from there; None for
            nowhere.
          watch: hears (done, total) as the pass goes on.

        Returns:
          Rows [n, ...] in host memory, on every process. What stays in memory is one row and one id
          for each example and the batches in flight.
        """
        step, surrogate = self.step(question), question.surrogate
        table = _Table(dataset, ids, reading.batch, saved)
        waiting: list[tuple[int, Any, Any]] = []

        def collect(number: int, index: Any, rows: Any) -> None:
            done = table.fill(number, index, rows)
            watch(done, len(ids))

        batches = loader.eval_batches(
            loader.EvalStream(
                dataset.pool, dataset.transforms.evaluate, ids, reading.batch, table.first
            ),
            reading.readers,
        )
        for number, batch in enumerate(batches, table.first):
            multihost.check_stopping()
            fields = _fields(batch, question.policy.oracle)
            answers: Any = surrogate.variables
            if not surrogate.traceable:
                answers = mesh.put(surrogate.forward((), fields, question.policy.needs.passes, 0))
                del fields["image"]
            fields = mesh.put(fields)
            rows = step(answers, np.int32(question.seed), fields)
            waiting.append((number, fields["id"], rows))
            if len(waiting) > IN_FLIGHT:
                collect(*waiting.pop(0))
        for rest in waiting:
            collect(*rest)
        return table.rows()


class _Table:
    """Hold the rows of a pass, filled in batch by batch."""

    def __init__(self, dataset: Dataset, ids: np.ndarray, batch: int, saved: SavedPass | None):
        self.batch, self.saved, self.size = batch, saved, len(ids)
        self.position = np.zeros(len(dataset.pool), np.int32)
        self.position[ids] = np.arange(len(ids))
        self.arrays: dict[str, np.ndarray] = {}
        before = saved.load() if saved else {}
        self.first = len(next(iter(before.values()), ())) // batch
        for name, array in before.items():
            self._add(name, array)
            self.arrays[name][: len(array)] = array

    def fill(self, number: int, index: Any, rows: Any) -> int:
        """Take a batch's rows; return how many are done."""
        at = self.position[mesh.gather(index)]
        for name, values in flatten(rows).items():
            values = mesh.gather(values)
            if name not in self.arrays:
                self._add(name, values)
            self.arrays[name][at] = values  # a filled-up tail repeats its last example
        done = min((number + 1) * self.batch, self.size)
        if self.saved:
            self.saved.save(self.arrays, done)
        return done

    def rows(self) -> Rows:
        """Return what was filled in; float32[0] of no examples."""
        return unflatten(self.arrays) if self.arrays else np.zeros(0, np.float32)

    def _add(self, name: str, like: np.ndarray) -> None:
        self.arrays[name] = np.empty((self.size, *like.shape[1:]), like.dtype)


def _fields(batch: dict[str, Any], labels: bool) -> dict[str, Any]:
    """Choose the fields of a batch that go to the devices."""
    wanted = ("image", "size", "id", *(("label",) if labels else ()))
    return {name: batch[name] for name in wanted if name in batch}


def _step(question: Question) -> Callable:
    """Make the function (variables or answers, seed, batch) -> rows, to be jitted."""
    surrogate, policy = question.surrogate, question.policy
    passes, task = policy.needs.passes, surrogate.task

    def one(out: Outputs, example: dict[str, Any], seed: jax.Array) -> Rows:
        if surrogate.leading and not policy.needs.members:
            out = as_one_model(out)
        shape = None if out.logits is None else out.logits.shape[:-1]
        if shape is not None and (passes.leading or _members_shown(question)):
            shape = shape[1:]
        key = jax.random.fold_in(jax.random.key(seed), example["id"])
        out = out.replace(
            valid=None if shape is None else task.valid(shape, example.get("size")),
            label=example.get("label"),
            id=example["id"],
            rng=key,
        )
        rows = policy.values(out) if question.maps else rows_of(policy.score(out))
        if not question.predictions:
            return rows
        single = as_one_model(out) if passes.leading or _members_shown(question) else out
        return {"policy": rows, "predicted": predicted(single)}

    def score(answers: Any, seed: jax.Array, batch: dict[str, Any]) -> Rows:
        out = answers
        if surrogate.traceable:
            out = surrogate.forward(answers, batch, passes, seed)
        rest = {name: value for name, value in batch.items() if name != "image"}
        leading = passes.leading or surrogate.leading
        axes = jax.tree.map(lambda _: 0, out)
        if leading:
            axes = axes.replace(logits=1)
        return jax.vmap(one, in_axes=(axes, 0, None))(out, rest, seed)

    return score


def _members_shown(question: Question) -> bool:
    """Tell whether the policy is shown an ensemble's members one by one."""
    return question.surrogate.leading and question.policy.needs.members
