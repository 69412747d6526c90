"""One selection run: cycle after cycle, train on what is labelled, score the rest, choose,
record. The first cycle is random, and the same for every surrogate and policy of a seed."""

import io
import time
from typing import Any

import numpy as np

from salx import deploy, peers, pool, runs
from salx.config import train_science
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
    peers.once(runs.claim, folder, identity(setting, job))
    recorded = peers.once(pool.recorded, folder, config["cycles"])
    chain = pool.read_chain(folder, recorded, dataset.fingerprint)
    targets = pool.budgets(len(dataset.pool), config["budget"], config["cycles"])
    for cycle in range(len(chain), config["cycles"]):
        path = pool.record_path(folder, cycle)
        if cycle == 0 and job.surrogate:
            first = Selection(None, "random", job.seed).folder(setting.workdir)
            record = pool.record_path(first, 0).read_bytes()
        else:
            record = choose(setting, job, chain, targets[cycle])
        peers.once(runs.write_file, path, record)
        chain.append(pool.read(path))
    return chain


def choose(setting: Setting, job: Selection, chain: list[Record], target: int) -> bytes:
    """The next cycle's record, which brings the number of labelled examples to `target`."""
    dataset, policy = setting.dataset, setting.policies[job.policy]
    have = pool.labelled(chain)
    rest = np.setdiff1d(np.arange(len(dataset.pool)), have)
    if policy.draw:
        scores, by = policy.draw(job.seed, rest, len(dataset.pool)), None
    else:
        scores, by = ask(setting, job, chain, policy, rest)
    step = f", step {by['step']}" if by else ""
    with located(f"run {job.name}, cycle {len(chain)}{step}"):
        picks = top(scores, rest, target - len(have), dataset.pool.keys)
    header = {
        "cycle": len(chain),
        "surrogate": job.surrogate,
        "policy": policy.name,
        "options": policy.options,
        "seed": job.seed,
        "checkpoint": by,
        "data": {
            "name": dataset.name,
            "size": len(dataset.pool),
            "fingerprint": dataset.fingerprint,
        },
        "labelled": len(have),
        "version": runs.code_version(),
        "parent": chain[-1].header["digest"] if chain else None,
    }
    return pool.encode(header, rest[picks], dataset.pool.keys, scores[picks])


def ask(
    setting: Setting, job: Selection, chain: list[Record], policy: Policy, rest: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """Trains the surrogate on the chain, and scores the examples `rest` with it.

    Returns float32[len(rest)] and the checkpoint {"run", "step", "digest"} that scored.
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
    peers.once(runs.write_file, folder / f"scores_{cycle:02d}.npz", packed.getvalue())
    spread = {"mean": scores.mean().item(), "std": scores.std().item()}
    pass_ = {"cycle": cycle, "images": len(rest), "seconds": seconds, **spread}
    if np.isfinite(scores).all():
        peers.once(runs.write_json, folder / f"cycle_{cycle:02d}.json", pass_)
    return scores, {"run": past.name, **result["checkpoint"]}


def identity(setting: Setting, job: Selection) -> dict[str, Any]:
    """What makes this run the one it is, as its config.json keeps it."""
    config = setting.config
    surrogate, policy, seed = job
    model = deploy.model_identity(setting, surrogate) if surrogate else None
    return {
        "run": job.name,
        "surrogate": model,
        "policy": policy,
        "options": setting.policies[policy].options,
        "seed": seed,
        "data": {**config["dataset"], "fingerprint": setting.dataset.fingerprint},
        "budget": config["budget"],
        "cycles": config["cycles"],
        "train": train_science(config) if surrogate else None,
    }
