"""One selection run: cycle after cycle, train on what is labelled, score the rest, choose, record.

The first cycle is random, and the same for every surrogate and policy of a seed.
"""

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from salx import records
from salx.data.datasets import Dataset
from salx.data.sources import example
from salx.infra import multihost, sealed, seeds, storage
from salx.infra.errors import located
from salx.policies import Policy
from salx.policies.scored import Rows
from salx.records import Record
from salx.run_folder import claim
from salx.scoring import stages
from salx.scoring.engine import Question, Reading
from salx.scoring.header import Origin, Where, header
from salx.scoring.saved_pass import SavedPass
from salx.scoring.stages import Candidates, Choice, NotLabelled, Round
from salx.study import grid, pick_statistics, training_run
from salx.study.context import StudyContext
from salx.study.grid import Deployment, Selection
from salx.surrogates.ensemble import Ensemble
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing, Surrogate


def run(study: StudyContext, job: Selection) -> list[Record]:
    """Do a selection run, or go on from the records that are there.

    Args:
      study: what the run shares with others.
      job: which run.

    Returns:
      The records of all cycles.

    Raises:
      InputError: for damaged records, and a run that another process holds.
      RunError: for scores that are not finite.
    """
    # Nobody asks a model for the random column: workers that need it at once write it in turn.
    with multihost.held(job.folder(study.workdir), wait=job.surrogate is None):
        return _go_on(study, job)


def _go_on(study: StudyContext, job: Selection) -> list[Record]:
    """`run` in a folder that is held."""
    cycles, folder = study.config.cycles, job.folder(study.workdir)
    multihost.run_on_main(claim, folder, _identity(study, job))
    recorded = multihost.run_on_main(records.recorded, folder, cycles)
    chain = records.read_chain(folder, recorded, study.dataset.fingerprint)
    for cycle in range(len(chain), cycles):
        path = records.record_path(folder, cycle)
        if cycle == 0 and job.surrogate:
            first = Selection(None, "random", job.seed).folder(study.workdir)
            record = storage.read_file(records.record_path(first, 0))
        else:
            record = _choose(study, job, chain)
        multihost.run_on_main(storage.write_file, path, record)
        chain.append(records.read(path))
        if multihost.is_main():
            study.observer.selected(job.name, cycle, len(chain[-1].ids))
    return chain


def _choose(study: StudyContext, job: Selection, chain: list[Record]) -> bytes:
    """The next cycle's record, which brings what is labelled to the cycle's budget.

    All scores, what there is to say of the pass, and a picture of the first picks are written with
    it.
    """
    dataset, policy, cycle = study.dataset, study.policies[job.policy], len(chain)
    labelled = records.labelled(chain)
    count = study.budgets[cycle] - len(labelled)
    candidates = stages.filtered(len(dataset.pool), [NotLabelled(labelled)])
    pass_ = _Pass(study, job, chain) if policy.asks else None
    began = time.monotonic()
    step = f", step {pass_.step}" if pass_ else ""
    with located(f"run {job.name}, cycle {cycle}{step}"):
        turn = _round(study, policy, labelled, job.seed, pass_)
        choice = stages.choose(turn, candidates, count, pass_ or _nobody)
    choice, filled = _fill(study, job, cycle, candidates, choice, count)
    who = Origin(job.surrogate, pass_.checkpoint if pass_ else None)
    where = Where(job.seed, cycle, chain[-1].header["digest"] if chain else None)
    head = header(policy, dataset, who, where, len(labelled), (candidates, choice))
    if filled:
        head["filled"] = filled
    scored = candidates.ids if pass_ else candidates.ids[:0]
    seconds = time.monotonic() - began
    _keep(study, job, cycle, (scored, choice), {"seconds": round(seconds, 3), **_notice(head)})
    return records.encode(head, choice.ids, dataset.pool.keys, choice.scores)


def _notice(head: dict[str, Any]) -> dict[str, Any]:
    """What cycle_CC.json says of a cycle that was filled up at random."""
    return {name: head[name] for name in ("filled", "reason") if name in head}


def _nobody(ids: np.ndarray) -> Rows:
    raise AssertionError("a policy that asks nobody was given a score")


def _round(
    study: StudyContext, policy: Policy, labelled: np.ndarray, seed: int, pass_: "_Pass | None"
) -> Round:
    """What the policy may know in this cycle."""
    pool = study.dataset.pool

    def labels(ids: np.ndarray) -> np.ndarray:
        return np.array([example(pool, int(id_))["label"] for id_ in ids], np.int32)

    return Round(
        policy=policy,
        source=pool,
        labelled=labelled,
        seed=seed,
        classifier=pass_.surrogate.classifier if pass_ and policy.needs.classifier else None,
        labels=labels,
    )


class _Pass:
    """The surrogate of a cycle, trained on the chain, and its passes over the pool.

    Called with ids it returns their rows. `checkpoint` tells which model it is, `step` its step.
    """

    def __init__(self, study: StudyContext, job: Selection, chain: list[Record]):
        self.study, self.job, self.cycle = study, job, len(chain)
        members = grid.surrogates(study.spec, job, self.cycle)
        finished = [(past, training_run.run(study, past, chain)) for past in members]
        marks = [{"run": past.name, **done.result["checkpoint"]} for past, done in finished]
        networks = [_network(study, past, done) for past, done in finished]
        alone = len(members) == 1 and job.surrogate not in study.spec.ensembles
        self.surrogate: Surrogate = networks[0] if alone else Ensemble(tuple(networks))
        self.checkpoint = marks[0] if alone else {"members": marks}
        self.mark = finished[0][1].result["checkpoint"] if alone else {"members": marks}
        self.step = marks[0]["step"]
        self.readers = study.config.recipe(members[0].model).readers

    def __call__(self, ids: np.ndarray) -> Rows:
        """Score the pool's examples `ids`."""
        study, job = self.study, self.job
        began, size = time.monotonic(), study.config.score.batch
        identity = {"by": self.mark, "ids": sealed.digest(ids.tobytes()), "batch": size}
        saved = SavedPass(job.folder(study.workdir) / f"pass_{self.cycle:02d}", identity)

        def watch(done: int, total: int) -> None:
            if multihost.is_main():
                study.observer.scored(job.name, done, total, time.monotonic() - began)

        question = Question(self.surrogate, study.policies[job.policy], job.seed)
        reading = Reading(size, self.readers)
        return study.scorer.score(question, study.dataset, ids, reading, saved, watch)


def _network(study: StudyContext, job: Deployment, done: training_run.Finished) -> Network:
    """A finished run's model as a surrogate."""
    dataset, model = study.dataset, study.models[job.model]
    return Network(
        model=model,
        arrays=done.variables,
        task=dataset.task,
        classes=dataset.classes,
        # The study's pool is brought to what its models see already.
        preprocessing=Preprocessing(dataset.image_shape, dataset.mean, dataset.std),
        origin={"run": job.name, **done.result["checkpoint"]},
        head_module=study.policies[job.head].needs.head if job.head else None,
    )


def _fill(
    study: StudyContext,
    job: Selection,
    cycle: int,
    candidates: Candidates,
    choice: Choice,
    count: int,
) -> tuple[Choice, int]:
    """A choice that is filled up at random where the policy chose fewer than `count`.

    What was filled in has scores of NaN; the second value is how many that are.
    """
    missing = count - len(choice.ids)
    if not missing:
        return choice, 0
    rest = np.setdiff1d(candidates.ids, choice.ids)
    draws = seeds.uniform(len(study.dataset.pool), seeds.derive(job.seed, "fill", cycle))[rest]
    more = rest[np.lexsort((rest, -draws))[:missing]]
    scores = np.concatenate([choice.scores, np.full(missing, np.nan)])
    return replace(choice, ids=np.concatenate([choice.ids, more]), scores=scores), missing


def _keep(
    study: StudyContext,
    job: Selection,
    cycle: int,
    picked: tuple[np.ndarray, Choice],
    notes: dict[str, Any],
) -> None:
    """Write scores_CC.npz, where a model has scored, strip_CC.png and cycle_CC.json."""
    folder, spread, (scored, choice) = job.folder(study.workdir), {}, picked
    if len(scored) and choice.all is not None:
        packed = io.BytesIO()
        np.savez(packed, ids=scored, scores=choice.all)
        path = folder / f"scores_{cycle:02d}.npz"
        multihost.run_on_main(storage.write_file, path, packed.getvalue())
        spread = {"mean": choice.all.mean().item(), "std": choice.all.std().item()}
    strip = folder / f"strip_{cycle:02d}.png"
    shown = multihost.run_on_main(_show, study.dataset, choice.ids.tolist(), strip)
    facts = {"cycle": cycle, "images": len(scored), **notes, **spread, "picked": shown}
    multihost.run_on_main(sealed.write_json, folder / f"cycle_{cycle:02d}.json", facts)
    multihost.run_on_main(storage.remove, folder / f"pass_{cycle:02d}")


def _show(dataset: Dataset, ids: list[int], path: Path) -> dict[str, Any]:
    """Write the strip of a cycle's first picks; return the statistics of the picks."""
    statistics, strip = pick_statistics.describe(dataset, ids)
    storage.write_file(path, strip)
    return statistics


def _identity(study: StudyContext, job: Selection) -> dict[str, Any]:
    """What makes this run the one it is, as its config.json keeps it."""
    config, (surrogate, policy, seed) = study.config, job
    line = config.lineages.get(surrogate, (surrogate,) if surrogate else ())
    ensemble = config.ensembles.get(surrogate)
    if ensemble:
        line = ensemble.get("members", [ensemble.get("model")])
    who = [training_run.model_identity(study, label) for label in line]
    name = study.policies[policy].name
    return {
        "run": job.name,
        "surrogate": who[0] if len(who) == 1 else who or None,
        **({"ensemble": dict(ensemble)} if ensemble else {}),
        "policy": policy,
        **({"policy_name": name} if name != policy else {}),
        "options": study.policies[policy].options,
        "seed": seed,
        "data": training_run.data_identity(study),
        "budget": config.budget,
        "cycles": config.cycles,
        "train": config.train.outcome() if surrogate else None,
    }
