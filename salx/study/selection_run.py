"""One selection run: cycle after cycle, train on what is labelled, score the rest, choose,
record. The first cycle is random, and the same for every surrogate and policy of a seed."""

import functools
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from salx import records, run_folder
from salx.data.datasets import Dataset
from salx.infra import multihost, sealed, storage
from salx.infra.errors import located
from salx.policies import Policy
from salx.records import Record
from salx.scoring import choice as choices
from salx.scoring.choice import Choice
from salx.scoring.engine import score_pool
from salx.scoring.resume import Parts
from salx.study import grid, pick_statistics, training_run
from salx.study.config import train_science
from salx.study.grid import Selection
from salx.study.training_run import Setting

NOBODY = np.zeros(0, np.int64)


def run(setting: Setting, job: Selection) -> list[Record]:
    """Goes on from the records that are there; returns the records of all cycles.

    Raises InputError for damaged records and a run that another process holds, RunError for
    scores that are not finite.
    """
    # Nobody asks a model for the random column: workers that need it at once write it in turn.
    with multihost.held(job.folder(setting.workdir), wait=job.surrogate is None):
        return go_on(setting, job)


def go_on(setting: Setting, job: Selection) -> list[Record]:
    """`run` in a folder that is held."""
    config, dataset, folder = setting.config, setting.dataset, job.folder(setting.workdir)
    multihost.run_on_main(run_folder.claim, folder, identity(setting, job))
    recorded = multihost.run_on_main(records.recorded, folder, config["cycles"])
    chain = records.read_chain(folder, recorded, dataset.fingerprint)
    targets = records.budgets(len(dataset.pool), config["budget"], config["cycles"])
    for cycle in range(len(chain), config["cycles"]):
        path = records.record_path(folder, cycle)
        if cycle == 0 and job.surrogate:
            first = Selection(None, "random", job.seed).folder(setting.workdir)
            record = records.record_path(first, 0).read_bytes()
        else:
            record = choose(setting, job, chain, targets[cycle])
        multihost.run_on_main(storage.write_file, path, record)
        chain.append(records.read(path))
    return chain


def choose(setting: Setting, job: Selection, chain: list[Record], target: int) -> bytes:
    """The next cycle's record, which brings the number of labelled examples to `target`.

    Beside it stay all scores, what is known of the pass, and a picture of the first picks.
    """
    dataset, policy, cycle = setting.dataset, setting.policies[job.policy], len(chain)
    have = records.labelled(chain)
    rest = np.setdiff1d(np.arange(len(dataset.pool)), have)
    if policy.draw:
        by, score = None, functools.partial(policy.draw, job.seed, pool=len(dataset.pool))
    else:
        by, score = ask(setting, job, chain, policy)
    began = time.monotonic()
    with located(f"run {job.name}, cycle {cycle}" + (f", step {by['step']}" if by else "")):
        choice = choices.choose(policy, score, dataset.pool, rest, have, target - len(have))
    header = choices.header(
        policy,
        dataset,
        surrogate=job.surrogate,
        seed=job.seed,
        checkpoint=by,
        labelled=len(have),
        cycle=cycle,
        parent=chain[-1].header["digest"] if chain else None,
    )
    keep(setting, job, cycle, rest if by else NOBODY, choice, time.monotonic() - began)
    return records.encode(header, choice.ids, dataset.pool.keys, choice.scores)


def ask(
    setting: Setting, job: Selection, chain: list[Record], policy: Policy
) -> tuple[dict[str, Any], Callable]:
    """Trains the surrogate on the chain; returns the checkpoint {"run", "step", "digest"} that
    scores, and the function that scores the examples of given ids with it."""
    config, cycle = setting.config, len(chain)
    past = grid.surrogate(config, job, cycle)
    variables, result = training_run.run(setting, past, chain)
    model, data, board = setting.models[past.model], setting.dataset, setting.board
    size, readers = config["score"]["batch"], setting.recipe(past.model).readers

    def score(ids: np.ndarray) -> np.ndarray:
        began = time.monotonic()
        mark = {"by": result["checkpoint"], "ids": sealed.digest(ids.tobytes()), "batch": size}
        parts = Parts(job.folder(setting.workdir) / f"pass_{cycle:02d}", mark)

        def watch(done: int, total: int) -> None:
            board.score(job.name, done, total, began)

        return score_pool(model, variables, policy, data, ids, size, *readers, parts, watch)

    return {"run": past.name, **result["checkpoint"]}, score


def keep(
    setting: Setting,
    job: Selection,
    cycle: int,
    scored: np.ndarray,
    choice: Choice,
    seconds: float,
) -> None:
    """Writes scores_CC.npz, where a model has scored, strip_CC.png and cycle_CC.json."""
    folder, spread = job.folder(setting.workdir), {}
    if len(scored) and choice.all is not None:
        packed = io.BytesIO()
        np.savez(packed, ids=scored, scores=choice.all)
        multihost.run_on_main(
            storage.write_file, folder / f"scores_{cycle:02d}.npz", packed.getvalue()
        )
        spread = {"mean": choice.all.mean().item(), "std": choice.all.std().item()}
    strip = folder / f"strip_{cycle:02d}.png"
    shown = multihost.run_on_main(show, setting.dataset, choice.ids.tolist(), strip)
    pass_ = {"cycle": cycle, "images": len(scored), "seconds": round(seconds, 3), **spread}
    pass_ |= {"picked": shown}
    multihost.run_on_main(sealed.write_json, folder / f"cycle_{cycle:02d}.json", pass_)
    multihost.run_on_main(storage.remove, folder / f"pass_{cycle:02d}")


def show(dataset: Dataset, ids: list[int], path: Path) -> dict[str, Any]:
    """Writes the strip of a cycle's first picks; returns what is told of the picks."""
    told, strip = pick_statistics.describe(dataset, ids)
    storage.write_file(path, strip)
    return told


def identity(setting: Setting, job: Selection) -> dict[str, Any]:
    """What makes this run the one it is, as its config.json keeps it."""
    config = setting.config
    surrogate, policy, seed = job
    line = config["lineages"].get(surrogate, (surrogate,) if surrogate else ())
    who = [training_run.model_identity(setting, label) for label in line]
    return {
        "run": job.name,
        "surrogate": who[0] if len(who) == 1 else who or None,
        "policy": policy,
        "options": setting.policies[policy].options,
        "seed": seed,
        "data": training_run.data_identity(setting),
        "budget": config["budget"],
        "cycles": config["cycles"],
        "train": train_science(config["train"]) if surrogate else None,
    }
