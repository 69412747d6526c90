"""A small study's work folder, made up but written the way a study writes it."""

import struct
import zlib

import numpy as np

from salx import records, run_folder
from salx.infra import sealed, storage

DATA = {"name": "digits", "size": 1437, "fingerprint": "sha256:" + "0" * 64}
PARAMETERS = {"res8": 19074, "res14": 41234, "res20": 66530}
ENVIRONMENT = {"python": "3.11.7", "jax": "0.10.2", "platform": "cpu", "devices": 1, "cores": 2}
SCORED = ("entropy", "learning_loss", "true_loss")
KEYS = [f"{i:04d}" for i in range(DATA["size"])]


def study(**overrides):
    """A study.json; keyword arguments replace fields of its config, `dataset` those of the data,
    `metric` its metric."""
    dataset, metric = overrides.pop("dataset", {}), overrides.pop("metric", "top-1 accuracy")
    config = {
        "name": "quickstart",
        "dataset": {"name": "digits"},
        "models": {name: {"name": name} for name in PARAMETERS},
        "surrogates": ["res8", "res14", "res20"],
        "deployments": ["res8", "res14", "res20"],
        "policies": ["entropy"],
        "lineages": {},
        "potentials": False,
        "deploy_cycles": [],
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
        "budgets": records.budgets(1437, config["budget"], cycles),
        "deploy_cycles": sorted({cycles // 2 - 1, cycles - 1} - {-1}),
        "models": {name: {"parameters": PARAMETERS.get(name, 1000)} for name in config["models"]},
        "metric": metric,
        "unit": "%",
    }


def result(model, surrogate, policy, seed, cycle, labelled, value):
    name = run_folder.deployment_name(
        model, run_folder.selection_name(surrogate, policy, seed), cycle
    )
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
        "checkpoint": {"step": 200, "digest": sealed.digest(name.encode())},
        "environment": ENVIRONMENT,
    }


def plausible(rng, model, surrogate, cycle):
    """A top-1 accuracy that rises with the budget, a little faster if somebody chose."""
    size = list(PARAMETERS).index(model) if model in PARAMETERS else 1
    risen = 0.955 - (0.33 - 0.02 * size) * np.exp(-cycle / (3.4 if surrogate else 4.0))
    return round(float(risen + 0.006 * rng.standard_normal()), 6)


def write_result(workdir, *arguments, **more):
    content = result(*arguments) | more
    sealed.write_json(workdir / "deployments" / content["run"] / "result.json", content)


def write_potential(workdir, model, seed, value):
    """A model's result on the whole pool."""
    name = f"{model}.on.all.s{seed}"
    content = result(model, None, "random", seed, 0, 1437, value)
    content |= {"run": name, "policy": None, "cycle": None}
    sealed.write_json(workdir / "deployments" / name / "result.json", content)


def write_selection(workdir, value, surrogate, policy, seed, rng, recorded=False):
    """The records of all cycles, and the scores and costs of those that were scored.

    recorded: with the picks' classes and near-duplicates, and their pictures.
    """
    folder = workdir / "selections" / run_folder.selection_name(surrogate, policy, seed)
    first = np.random.default_rng(seed).permutation(1437)[: value["budgets"][0]]
    order = np.concatenate([first, rng.permutation(np.setdiff1d(np.arange(1437), first))])
    members = value["config"].get("ensembles", {}).get(surrogate, {}).get("members")
    who = [{"run": member} for member in members] if members else None
    parent, before = None, 0
    for cycle, labelled in enumerate(value["budgets"]):
        ids = order[before:labelled]
        chose = (surrogate, policy) if cycle else (None, "random")  # a seed's first is shared
        header = dict(zip(("surrogate", "policy"), chose, strict=True))
        header |= {"cycle": cycle, "seed": seed, "options": {}}
        header |= {"data": DATA, "labelled": labelled, "parent": parent, "checkpoint": who}
        content = records.encode(header, ids, KEYS, np.linspace(2, 1, len(ids), dtype=np.float32))
        storage.write_file(records.record_path(folder, cycle), content)
        parent = records.read(records.record_path(folder, cycle)).header["digest"]
        if cycle and surrogate:
            write_pass(folder, cycle, np.sort(order[before:]), policy, rng, recorded)
        before = labelled


def write_pass(folder, cycle, ids, policy, rng, recorded):
    cost = {"cycle": cycle, "images": len(ids), "seconds": 0.25}
    if policy in SCORED:
        scores = np.minimum(2.3, rng.exponential(0.35, len(ids))).astype(np.float32)
        np.savez(folder / f"scores_{cycle:02d}.npz", ids=ids, scores=scores)
        cost |= {"mean": float(scores.mean()), "std": float(scores.std())}
    if recorded:
        counts = rng.integers(0, 9, 10).tolist()
        cost["picked"] = {"classes": counts, "near_duplicates": 0.1, "pool_classes": [143] * 10}
        (folder / f"strip_{cycle:02d}.png").write_bytes(png(rng.integers(0, 255, (32, 640))))
    sealed.write_json(folder / f"cycle_{cycle:02d}.json", cost)


def png(gray):
    """A gray picture of integers [height, width] in 0..255, as PNG."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(
            ">I", zlib.crc32(kind + content)
        )  # fmt: skip

    height, width = gray.shape
    lines = b"".join(b"\0" + line.astype(np.uint8).tobytes() for line in gray)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write_work(workdir, recorded=False, potentials=False, **overrides):
    """A finished study in `workdir`, which it returns.

    recorded: results and passes with all that they may have; potentials: those of all models.
    """
    value = study(**overrides)
    config, rng = value["config"], np.random.default_rng(0)
    sealed.write_json(workdir / "study.json", value)
    last, own = value["deploy_cycles"][-1], range(1, config["cycles"])

    def deploy(model, surrogate, policy, seed, cycle):
        measured = plausible(rng, model, surrogate, cycle)
        more = {"ece": 0.1 * rng.random(), "classes": [*rng.random(9), None]} if recorded else {}
        labelled = value["budgets"][cycle]
        write_result(workdir, model, surrogate, policy, seed, cycle, labelled, measured, **more)

    for seed in range(config["seeds"]):
        pairs = [(None, "random")]
        pairs += [(s, policy) for policy in config["policies"] for s in config["surrogates"]]
        for surrogate, policy in pairs:
            write_selection(workdir, value, surrogate, policy, seed, rng, recorded)
            for model in config["deployments"]:
                start = [0] if surrogate is None else []
                cycles = own if surrogate == model else value["deploy_cycles"]
                for cycle in {*start, *cycles, last}:
                    deploy(model, surrogate, policy, seed, cycle)
        for line, models in config.get("lineages", {}).items():
            for policy in config["policies"]:
                write_selection(workdir, value, line, policy, seed, rng, recorded)
                for cycle in own:
                    model = models[cycle * len(models) // config["cycles"]]
                    deploy(model, line, policy, seed, cycle)
                    if cycle + 1 < config["cycles"]:
                        heir = models[(cycle + 1) * len(models) // config["cycles"]]
                        deploy(heir, line, policy, seed, cycle)
        for model in config["deployments"] if potentials else ():
            write_potential(workdir, model, seed, 0.97 + 0.005 * rng.random())
    return workdir
