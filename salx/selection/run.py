"""What `python -m salx select` does: read, score, choose, write."""

import argparse
import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from salx import records
from salx.data.datasets import Dataset
from salx.infra import mesh, sealed, storage, version
from salx.infra.progress import Board
from salx.policies import Policy
from salx.scoring.choice import choose, header
from salx.scoring.engine import score_pool
from salx.scoring.predictions import Guesses, informed
from salx.scoring.resume import Parts
from salx.selection import compare, inputs, outputs
from salx.selection.inputs import names_of_classes
from salx.surrogates import surrogate
from salx.surrogates.surrogate import Surrogate


class Question(NamedTuple):
    """Who is asked (nobody by policy random), how, and the pool as it reaches the model; which
    of its ids can be picked, which are labelled, and how many to pick."""

    asked: Surrogate | None
    policy: Policy
    dataset: Dataset
    rest: np.ndarray
    labelled: np.ndarray
    count: int
    batch: int


def run(given: argparse.Namespace) -> None:
    """Does all that the arguments ask for, and prints what it did.

    Raises InputError before any scoring for what cannot be used.
    """
    inputs.check_numbers(given)
    outputs.check(given)
    questions = ask(given)
    outs = [given.out]
    if len(questions) > 1:
        outs = [numbered(given.out, number + 1) for number in range(len(questions))]
    opinions = [answer(given, *pair) for pair in zip(questions, outs, strict=True)]
    if len(opinions) > 1:
        told = compare.compare(opinions)
        place = given.out.with_suffix(".compare.json")
        sealed.write_json(place, told)
        print(compare.in_words(told))
        print(f"comparison: {place}")


def numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def ask(given: argparse.Namespace) -> list[Question]:
    """One question for each surrogate, all of them checked."""
    name, options = inputs.named(given.policy, "--policy")
    inputs.check_policy(name, given.surrogate)
    size = inputs.pair(given.size) if given.size else None
    past = [None] if name == "random" else given.surrogate
    surrogates = [surrogate.load(place, size) if place else None for place in past]
    policies = [inputs.policy_of(name, options, asked) for asked in surrogates]
    dataset = inputs.dataset_of(given.pool, given.on_error)
    labelled, foreign = inputs.labelled_ids(given.labelled, dataset)
    if given.labelled:
        print(f"labelled: {len(labelled)}" + (f", {foreign} not in the pool" if foreign else ""))
    rest = np.setdiff1d(np.arange(len(dataset.pool)), labelled)
    count = inputs.budget(given.budget, len(dataset.pool), len(rest))
    devices = mesh.mesh().size
    batch = math.ceil(given.batch / devices) * devices
    questions = []
    for asked, policy in zip(surrogates, policies, strict=True):
        inputs.check_fit(asked, policy, dataset)
        seen = inputs.seen_by(asked, dataset) if asked else dataset
        questions.append(Question(asked, policy, seen, rest, labelled, count, batch))
    return questions


def answer(given: argparse.Namespace, question: Question, out: Path) -> compare.Opinion:
    """Lets one surrogate choose; writes the record and what else is asked for."""
    asked, policy, dataset, rest, labelled, count, _ = question
    began, passed = time.monotonic(), out.with_name(f".{out.name}.pass")
    classes = names_of_classes(asked) if asked else ()
    pixels = bool(asked) and asked.task.dense
    guesses = Guesses(len(dataset.pool), len(classes), pixels)
    with Board(shown=True) as board:
        score = scores_of(question, given.seed, given.threads, passed, guesses, board)
        choice = choose(policy, score, dataset.pool, rest, labelled, count)
    picks = outputs.described(choice, dataset, guesses, classes, inputs.root_of(given.pool))
    outputs.export(given, asked, policy, dataset, picks)
    told = header(
        policy,
        dataset,
        surrogate=asked.model.label if asked else None,
        seed=given.seed,
        checkpoint=asked.origin if asked else None,
        labelled=len(labelled),
    )
    storage.write_file(out, records.encode(told, choice.ids, dataset.pool.keys, choice.scores))
    storage.remove(passed)
    by = f"{policy.name} of {asked.model.label}" if asked else policy.name
    seconds = time.monotonic() - began
    print(f"{out}: {count} of {len(rest)} images by {by}; {seconds:.1f} s")
    who = asked.origin.get("run") or asked.origin["file"] if asked else policy.name
    return compare.Opinion(who, choice, dict(zip(classes, guesses.mix().tolist(), strict=True)))


def scores_of(
    question: Question, seed: int, threads: int, passed: Path, guesses: Guesses, board: Board
) -> Callable[[np.ndarray], np.ndarray]:
    """The function from ids to scores or rows; on its way it notes the surrogate's guesses."""
    asked, policy, dataset, *_, batch = question
    if policy.draw:
        return functools.partial(policy.draw, seed, pool=len(dataset.pool))
    told = informed(policy)
    mark = {
        "by": asked.origin,
        "policy": [policy.name, policy.options],
        "data": dataset.fingerprint,
        "seen": [asked.model.image_shape, asked.transform],
        "batch": batch,
        "version": version.code_version(),
    }

    def score(ids: np.ndarray) -> np.ndarray:
        began = time.monotonic()
        rows = score_pool(
            asked.model,
            asked.variables,
            told,
            dataset,
            ids,
            batch,
            threads,
            parts=Parts(passed, {**mark, "ids": sealed.digest(ids.tobytes())}),
            watch=lambda done, total: board.score(asked.model.label, done, total, began),
        )
        return guesses.split(ids, rows, scores=not policy.pick)

    return score
