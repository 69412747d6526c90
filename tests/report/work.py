"""A small study's work folder, made up but written the way a study writes it."""

import numpy as np

from salx import pool, runs

DATA = {"name": "digits", "size": 1437, "fingerprint": "sha256:" + "0" * 64}
PARAMETERS = {"res8": 19074, "res14": 41234, "res20": 66530}
ENVIRONMENT = {"python": "3.11.7", "jax": "0.10.2", "platform": "cpu", "devices": 1, "cores": 2}


def study(**overrides):
    """A study.json; keyword arguments replace fields of its config, `dataset` those of the data."""
    dataset = overrides.pop("dataset", {})
    config = {
        "name": "quickstart",
        "dataset": {"name": "digits"},
        "models": {name: {"name": name} for name in PARAMETERS},
        "surrogates": ["res8", "res14", "res20"],
        "deployments": ["res8", "res14", "res20"],
        "policies": ["entropy"],
        "seeds": 3,
        "cycles": 10,
        "budget": 0.2,
        "train": {"batch": 16, "steps": 200},
    } | overrides
    cycles = config["cycles"]
    return {
        "config": config,
        "dataset": {
            "name": "digits",
            "task": "classification",
            "classes": [str(digit) for digit in range(10)],
            "pool": 1437,
            "val": 360,
            "fingerprint": DATA["fingerprint"],
            "about": "Handwritten digits, 8 x 8 pixels.",
        }
        | dataset,
        "budgets": pool.budgets(1437, config["budget"], cycles),
        "deploy_cycles": sorted({cycles // 2 - 1, cycles - 1}),
        "models": {name: {"parameters": PARAMETERS[name]} for name in config["models"]},
        "metric": "top-1 accuracy",
        "unit": "%",
    }


def result(model, surrogate, policy, seed, cycle, labelled, value):
    name = runs.deployment_name(model, runs.selection_name(surrogate, policy, seed), cycle)
    return {
        "run": name,
        "deployment": model,
        "surrogate": surrogate,
        "policy": policy,
        "seed": seed,
        "cycle": cycle,
        "labelled": labelled,
        "steps": 200,
        "epochs": 11.1,
        "value": value,
        "loss": 0.23,
        "val": 360,
        "seconds": {"train": 1.9, "evaluate": 0.1},
        "checkpoint": {"step": 200, "digest": runs.digest(name.encode())},
        "environment": ENVIRONMENT,
    }


def plausible(rng, model, surrogate, cycle):
    """A top-1 accuracy that rises with the budget, a little faster if somebody chose."""
    size = list(PARAMETERS).index(model)
    risen = 0.955 - (0.33 - 0.02 * size) * np.exp(-cycle / (3.4 if surrogate else 4.0))
    return round(float(risen + 0.006 * rng.standard_normal()), 6)


def write_result(workdir, *arguments):
    content = result(*arguments)
    runs.write_json(workdir / "deployments" / content["run"] / "result.json", content)


def write_selection(workdir, value, surrogate, policy, seed, rng):
    """The records of all cycles, and the scores and costs of those that were scored."""
    folder = workdir / "selections" / runs.selection_name(surrogate, policy, seed)
    order, parent, before = rng.permutation(1437), None, 0
    for cycle, labelled in enumerate(value["budgets"]):
        ids = order[before:labelled]
        header = {"cycle": cycle, "surrogate": surrogate, "policy": policy, "seed": seed}
        header |= {"data": DATA, "labelled": labelled, "parent": parent, "checkpoint": None}
        keys = [f"{i:04d}" for i in range(1437)]
        content = pool.encode(header, ids, keys, np.linspace(2, 1, len(ids), dtype=np.float32))
        runs.write_file(pool.record_path(folder, cycle), content)
        parent = pool.read(pool.record_path(folder, cycle)).header["digest"]
        if cycle and surrogate:
            write_scores(folder, cycle, np.sort(order[before:]), rng)
        before = labelled


def write_scores(folder, cycle, ids, rng):
    scores = np.minimum(2.3, rng.exponential(0.35, len(ids))).astype(np.float32)
    np.savez(folder / f"scores_{cycle:02d}.npz", ids=ids, scores=scores)
    cost = {"cycle": cycle, "images": len(ids), "seconds": 0.25, "mean": float(scores.mean())}
    runs.write_json(folder / f"cycle_{cycle:02d}.json", cost | {"std": float(scores.std())})


def write_work(workdir, **overrides):
    """A finished study in `workdir`, which it returns."""
    value = study(**overrides)
    config, rng = value["config"], np.random.default_rng(0)
    runs.write_json(workdir / "study.json", value)
    last, own = value["deploy_cycles"][-1], range(1, config["cycles"])
    for seed in range(config["seeds"]):
        pairs = [(None, "random")]
        pairs += [(s, policy) for policy in config["policies"] for s in config["surrogates"]]
        for surrogate, policy in pairs:
            write_selection(workdir, value, surrogate, policy, seed, rng)
            for model in config["deployments"]:
                start = [0] if surrogate is None else []
                cycles = own if surrogate == model else value["deploy_cycles"]
                for cycle in {*start, *cycles, last}:
                    labelled = value["budgets"][cycle]
                    measured = plausible(rng, model, surrogate, cycle)
                    write_result(workdir, model, surrogate, policy, seed, cycle, labelled, measured)
    return workdir
