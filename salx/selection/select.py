"""Choosing from a pool with a surrogate: the library's `select`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from jaxtyping import Int64

from salx.data.datasets import Dataset
from salx.data.options import Readers, Threads, Workers
from salx.data.sources import example
from salx.infra import limits, mesh, paths, sealed
from salx.infra.errors import ArgumentError
from salx.infra.limits import Whole
from salx.infra.observer import Observer
from salx.infra.outputs import Guard
from salx.infra.version import code_version
from salx.policies import Policy
from salx.policies.scored import Rows
from salx.scoring import header as scoring
from salx.scoring import stages
from salx.scoring.engine import Question, Reading, Scorer
from salx.scoring.header import Origin, Where, header
from salx.scoring.predictions import Predictions, split
from salx.scoring.saved_pass import SavedPass
from salx.scoring.stages import NotLabelled, Round
from salx.selection import fit
from salx.selection.labelled import STOP
from salx.selection.pool import Pool
from salx.selection.result import Selection
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Surrogate


@dataclass(frozen=True)
class Settings:
    """Hold how a selection is made; none of it changes what is chosen but `seed`.

    Attributes:
      seed: of policies that draw.
      batch: images that are scored at once, over all devices, 1 to 1,000,000.
      threads: threads that read images ahead; 0 reads in the scoring thread.
      workers: processes that read, each with so many threads; 0 reads in this one.
      resume: a folder where a long pass is kept, so that it can be stopped and goes on; None for
        none.
      observer: hears how the pass goes.
      scorer: keeps compiled steps from one selection to the next.
      labelled_missing: "stop" or "ok" where hardly anything that is labelled is in the pool.
    """

    seed: int = 0
    batch: Annotated[int, Whole(1, 1_000_000)] = 64
    threads: Threads = 2
    workers: Workers = 0
    resume: str | Path | None = None
    observer: Observer = field(default_factory=Observer)
    scorer: Scorer = field(default_factory=Scorer)
    labelled_missing: str = STOP

    def __post_init__(self) -> None:
        names = ("seed", "batch", "threads", "workers")
        limits.check_options(Settings, {name: getattr(self, name) for name in names})
        if self.resume:
            paths.local(self.resume, "resume")


@dataclass(frozen=True)
class Plan:
    """Hold a selection that was checked and can be made.

    Attributes:
      surrogate: who is asked, None by a policy that asks nobody.
      policy: how to choose.
      pool: the images as they are.
      dataset: the images as the surrogate sees them.
      labelled: ids of what is labelled.
      count: how many to choose.
      guard: what the files of the selection must spare.
    """

    surrogate: Surrogate | None
    policy: Policy
    pool: Pool
    dataset: Dataset
    labelled: Int64[np.ndarray, " n"]
    count: int
    guard: Guard = field(default_factory=Guard)


def plan(
    pool: Pool,
    surrogate: Surrogate | None,
    policy: str | Policy,
    budget: int | str,
    labelled: Int64[np.ndarray, " n"],
) -> Plan:
    """Check a selection before anything is scored.

    Args:
      pool: the images.
      surrogate: who is asked, None for nobody.
      policy: its name, also with options, or itself.
      budget: how many to choose, or a share of the pool, "2%".
      labelled: ids of what is labelled.

    Returns:
      The selection, for `make`.

    Raises:
      ArgumentError: naming what cannot be used.
    """
    made = fit.policy_of(policy, surrogate)
    rest = len(pool) - len(labelled)
    count = fit.budget_of(budget, len(pool), rest)
    if made.asks and surrogate is None:
        raise ArgumentError("surrogate", f"{{name}} is required by policy {made.name!r}")
    guard = Guard(pool.inputs())
    if not made.asks:
        return Plan(None, made, pool, pool.dataset, labelled, count, guard)
    assert surrogate is not None
    fit.check(surrogate, made, pool.dataset)
    if isinstance(surrogate, Network) and made.needs.head is not None:
        surrogate = surrogate.with_head(made.needs.head)
    seen_as = surrogate.preprocessing
    dataset = pool.dataset._replace(task=surrogate.task)  # which an unlabelled pool does not know
    dataset = seen_as.applied(dataset) if seen_as else dataset
    return Plan(surrogate, made, pool, dataset, labelled, count, guard)


def make(wanted: Plan, settings: Settings) -> Selection:
    """Make a selection that was checked.

    Args:
      wanted: of `plan`.
      settings: how it is made.

    Returns:
      The picks, best first.

    Raises:
      RunError: naming the example, for an image that cannot be read and a score that is not finite.
    """
    began = time.monotonic()
    candidates = stages.filtered(len(wanted.pool), [NotLabelled(wanted.labelled)])
    names = wanted.surrogate.class_names() if wanted.surrogate else ()
    predictions = Predictions(len(wanted.pool), len(names))
    score = _scores(wanted, settings, predictions)
    source = wanted.dataset.pool

    def labels(ids: np.ndarray) -> np.ndarray:
        return np.array([example(source, int(id_))["label"] for id_ in ids], np.int32)

    needs = wanted.policy.needs
    turn = Round(
        policy=wanted.policy,
        source=source,
        labelled=wanted.labelled,
        seed=settings.seed,
        classifier=wanted.surrogate.classifier if wanted.surrogate and needs.classifier else None,
        labels=labels,
    )
    choice = stages.choose(turn, candidates, wanted.count, score)
    head = header(
        wanted.policy,
        wanted.dataset,
        _origin(wanted),
        Where(settings.seed),
        len(wanted.labelled),
        (candidates, choice),
    )
    return Selection(
        header={**head, "question": _question(wanted)},
        choice=choice,
        pool=wanted.pool,
        policy=wanted.policy,
        surrogate=wanted.surrogate,
        dataset=wanted.dataset,
        predictions=predictions,
        candidates=len(candidates.ids),
        seconds=time.monotonic() - began,
        guard=wanted.guard,
        labelled=wanted.labelled,
    )


def identity(wanted: Plan, seed: int) -> dict[str, Any]:
    """Describe the question, so that it can be told from any other before anything is scored.

    Args:
      wanted: of `plan`.
      seed: of policies that draw.

    Returns:
      The fields of the record's header that say it.
    """
    fields = scoring.identity(wanted.policy, wanted.dataset, _origin(wanted), Where(seed))
    return {**fields, "question": _question(wanted)}


def _origin(wanted: Plan) -> Origin:
    if wanted.surrogate is None:
        return Origin(None, None)
    return Origin(wanted.surrogate.label, wanted.surrogate.origin)


def _question(wanted: Plan) -> dict[str, Any]:
    """How many to pick, the digest of the ids that are labelled, and what is seen of an image."""
    view = wanted.surrogate.preprocessing if wanted.surrogate else None
    return {
        "count": wanted.count,
        "labelled": sealed.digest(wanted.labelled.tobytes()),
        **({"view": [view.shape, dict(view.transform)]} if view else {}),
    }


def _scores(
    wanted: Plan, settings: Settings, predictions: Predictions
) -> Callable[[np.ndarray], Rows]:
    """The function from ids to rows; on its way it notes the surrogate's predictions."""
    surrogate = wanted.surrogate
    if surrogate is None:
        return lambda ids: None
    noted = surrogate.predictions()
    question = Question(surrogate, wanted.policy, settings.seed, predictions=noted)
    devices = mesh.mesh().size
    size = math.ceil(settings.batch / devices) * devices
    reading = Reading(size, Readers(settings.threads, settings.workers))
    mark = {
        "by": surrogate.origin,
        "policy": [wanted.policy.name, wanted.policy.options],
        "data": wanted.dataset.fingerprint,
        "seed": settings.seed,
        "size": size,
        "version": code_version(),
    }
    if surrogate.preprocessing:
        view = surrogate.preprocessing
        mark["view"] = [view.shape, dict(view.transform)]

    def score(ids: np.ndarray) -> Rows:
        began, saved = time.monotonic(), None
        if settings.resume:
            folder = paths.local(settings.resume, "resume")
            saved = SavedPass(folder, {**mark, "ids": sealed.digest(ids.tobytes())})

        def watch(done: int, total: int) -> None:
            settings.observer.scored(surrogate.label, done, total, time.monotonic() - began)

        rows = settings.scorer.score(question, wanted.dataset, ids, reading, saved, watch)
        if not noted or not len(ids):
            return rows
        rows, its_predictions = split(rows)
        predictions.note(ids, its_predictions)
        return rows

    return score
