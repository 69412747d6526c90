"""One selection run: cycle after cycle, train on what is labelled, score the rest, choose,
record. The first cycle is random, and the same for every surrogate and policy of a seed."""

import io
import time
from typing import Any

import numpy as np

from salx import deploy, pool, runs
from salx.deploy import Setting
from salx.errors import located
from salx.grid import Selection, deployment
from salx.pool import Record
from salx.selection import Policy, scoring, top


def run(setting: Setting, job: Selection) -> list[Record]:
    """Goes on from the records that are there; returns the records of all cycles.

    Raises InputError for damaged records, RunError for scores that are not finite.
    """
    config, dataset, folder = setting.config, setting.dataset, job.folder(setting.workdir)
    surrogate, policy, seed = job
    runs.claim(folder, identity(setting, job))
    chain = pool.read_chain(folder, config["cycles"], dataset.fingerprint)
    targets = pool.budgets(len(dataset.pool), config["budget"], config["cycles"])
    for cycle in range(len(chain), config["cycles"]):
        rest = np.setdiff1d(np.arange(len(dataset.pool)), pool.labelled(chain))
        shared = cycle == 0 or surrogate is None
        used = setting.policies["random" if shared else policy]
        header = {
            "cycle": cycle,
            "surrogate": None if shared else surrogate,
            "policy": used.name,
            "options": used.options,
            "seed": seed,
            "checkpoint": None,
            "data": {
                "name": dataset.name,
                "size": len(dataset.pool),
                "fingerprint": dataset.fingerprint,
            },
            "labelled": len(dataset.pool) - len(rest),
            "version": runs.code_version(),
            "parent": chain[-1].header["digest"] if chain else None,
        }
        with located(f"run {job.name}, cycle {cycle}"):
            if shared:
                scores = used.draw(seed, rest, len(dataset.pool))
            else:
                header["checkpoint"], scores = ask(setting, job, chain, used, rest)
            picks = top(scores, rest, targets[cycle] - header["labelled"], dataset.pool.keys)
        path = pool.record_path(folder, cycle)
        runs.write_file(path, pool.encode(header, rest[picks], dataset.pool.keys, scores[picks]))
        chain.append(pool.read(path))
    return chain


def ask(
    setting: Setting, job: Selection, chain: list[Record], policy: Policy, rest: np.ndarray
) -> tuple[dict[str, Any], np.ndarray]:
    """Trains the surrogate on the chain, and scores the examples `rest` with it.

    Returns the checkpoint {"run", "step", "digest"} that scored, and float32[len(rest)].
    """
    config, cycle, folder = setting.config, len(chain), job.folder(setting.workdir)
    past = deployment(job.surrogate, job, cycle - 1)
    variables, result = deploy.run(setting, past, chain)
    began = time.monotonic()
    model, data = setting.models[job.surrogate], setting.dataset.pool
    size, threads = config["score"]["batch"], config["train"]["threads"]
    scores = scoring.score_pool(model, variables, policy.example, data, rest, size, threads)
    seconds = round(time.monotonic() - began, 3)
    packed = io.BytesIO()
    np.savez(packed, ids=rest, scores=scores)
    runs.write_file(folder / f"scores_{cycle:02d}.npz", packed.getvalue())
    spread = {"mean": scores.mean().item(), "std": scores.std().item()}
    pass_ = {"cycle": cycle, "images": len(rest), "seconds": seconds, **spread}
    if np.isfinite(scores).all():
        runs.write_json(folder / f"cycle_{cycle:02d}.json", pass_)
    return {"run": past.name, **result["checkpoint"]}, scores


def identity(setting: Setting, job: Selection) -> dict[str, Any]:
    """What makes this run the one it is, as its config.json keeps it."""
    config = setting.config
    surrogate, policy, seed = job
    model = {"label": surrogate, **config["models"][surrogate]} if surrogate else None
    return {
        "run": job.name,
        "surrogate": model,
        "policy": policy,
        "options": setting.policies[policy].options,
        "seed": seed,
        "data": {**config["dataset"], "fingerprint": setting.dataset.fingerprint},
        "budget": config["budget"],
        "cycles": config["cycles"],
        "train": deploy.train_identity(config) if surrogate else None,
    }
