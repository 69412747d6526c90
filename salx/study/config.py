"""The fields that every config has, with their defaults, and the checks that need no data."""

from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from salx.data.options import DATASET, TRANSFORM
from salx.infra.errors import InputError, unknown
from salx.infra.sealed import flatten
from salx.run_folder import check_label


def base() -> ConfigDict:
    """A study's config. A file in configs/ changes what it needs; a flag changes one field."""
    config = ConfigDict()
    config.name = "study"
    config.dataset = ConfigDict({"name": "digits", **DATASET})  # and the set's own options
    config.transform = ConfigDict(TRANSFORM)
    # label -> {"name": ..., options}; labels name folders. `train` among the options is what
    # differs from config.train for this model.
    config.models = ConfigDict()
    config.surrogates = ()  # labels
    config.deployments = ()  # labels
    config.lineages = ConfigDict()  # label -> models; each chooses its share of the cycles in turn
    config.policies = ("entropy",)  # beside random, which is always there
    config.options = ConfigDict()  # policy -> its options
    config.seeds = 3  # runs of everything, from the seeds 0, 1, ...
    config.cycles = 10
    config.budget = 0.20  # share of the pool that is labelled after the last cycle
    config.deploy_cycles = ()  # train deployments after these; () is the last alone
    config.potentials = False  # train deployments on the whole pool as well

    config.train = ConfigDict()
    config.train.batch = 16  # global, over all devices
    config.train.accumulate = 1  # parts of a batch, one after the other, if it does not fit
    config.train.steps = 0  # give either steps or epochs
    config.train.epochs = 0.0
    config.train.learning_rate = 0.1
    config.train.schedule = "cosine"  # constant, cosine, poly (0.9), thirds (/10 each third)
    config.train.warmup = 0.0  # share of the steps
    config.train.momentum = 0.9
    config.train.weight_decay = 1e-4  # not of biases and batch normalisation
    config.train.threads = 0  # readers that work ahead; 0 suits data in memory
    config.train.workers = 0  # processes that do, each with `threads` of its own
    config.train.log_every = 100  # steps
    config.train.save_every = 0  # steps between checkpoints; 0 saves at the end alone

    config.score = ConfigDict({"batch": 512})
    config.evaluate = ConfigDict({"batch": 512})
    config.telemetry = ConfigDict({"tensorboard": False, "progress": True})
    return config


# What a finished work folder may be visited with: other seeds, models or policies add runs to
# it, and the rest changes nothing in them.
GRID = ("surrogates", "deployments", "lineages", "policies", "deploy_cycles", "potentials")
FREE = ("name", "seeds", "telemetry", *GRID)
FREE_TRAIN = ("threads", "workers", "log_every", "save_every")
PLACES = ("dir", "cache")  # of a data set; what lies there is known by its fingerprint
# Sections whose fields their own modules know.
OPEN = ("models", "lineages", "options", "dataset", "transform")


def science(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a config that must not change within a work folder."""
    kept = {name: value for name, value in config.items() if name not in (*FREE, "models")}
    return {**kept, "train": train_science(config["train"]), "dataset": dataset_science(config)}


def training(config: dict[str, Any], label: str) -> dict[str, Any]:
    """config.train with the model's own fields in their place."""
    return {**config["train"], **config["models"][label].get("train", {})}


def train_science(train: dict[str, Any]) -> dict[str, Any]:
    """The part of config.train, or of a model's, that decides the outcome; a batch in one part
    needs no word."""
    kept = {name: value for name, value in train.items() if name not in FREE_TRAIN}
    return {name: value for name, value in kept.items() if (name, value) != ("accumulate", 1)}


def dataset_science(config: dict[str, Any]) -> dict[str, Any]:
    """The part of config.dataset that decides the outcome."""
    return {name: value for name, value in config["dataset"].items() if name not in PLACES}


def resolve(given: ConfigDict) -> dict[str, Any]:
    """A config as plain values, checked. Raises InputError naming the field."""
    config = {**base().to_dict(), **given.to_dict()}
    check_fields(config)
    for field in ("surrogates", "deployments", "policies"):
        if isinstance(config[field], str):
            config[field] = (config[field],)
    for label, options in config["models"].items():
        check_label("models", label)
        check_own_training(f"models.{label}.train", options.get("train", {}))
    for field in ("surrogates", "deployments"):
        check_models(config, field, config[field])
        some = config[field] or (field == "surrogates" and config["lineages"])
        if not some or len(set(config[field])) != len(config[field]):
            raise InputError(
                f"config.{field}={config[field]} must name each model once, at least one"
            )
    for label, line in config["lineages"].items():
        check_label("lineages", label)
        check_models(config, f"lineages.{label}", line)
        if label in config["models"] or not 1 <= len(line) <= config["cycles"]:
            raise InputError(
                f"config.lineages.{label}={line!r} must be no model's label, and name at least "
                f"one and at most {config['cycles']} models, one for each cycle"
            )
    check_numbers(config)
    check_train("train", config["train"])
    for label in config["models"]:
        check_train(f"models.{label}.train", training(config, label))
    return config


def check_models(config: dict[str, Any], field: str, labels: Sequence[str]) -> None:
    """Raises InputError for a label that is no model's."""
    for label in labels:
        if label not in config["models"]:
            raise unknown(f"model in config.{field}", label, config["models"])


def check_path(path: list[str], at: dict[str, Any] | None = None, prefix: str = "config") -> None:
    """Raises InputError, with the nearest known one, if no config has the field `path`."""
    at = base().to_dict() if at is None else at
    name, *rest = path
    if name not in at:
        raise unknown("field", f"{prefix}.{name}", [f"{prefix}.{known}" for known in at])
    if rest and isinstance(at[name], dict) and name not in OPEN:
        check_path(rest, at[name], f"{prefix}.{name}")


def check_fields(config: dict[str, Any]) -> None:
    """Raises InputError for a field that no config has, or a section that is none."""
    for path in flatten(config):
        check_path(path.split("."))
    for name, default in base().to_dict().items():
        if isinstance(default, dict) and not isinstance(config[name], dict):
            raise InputError(f"config.{name} must be a section, not {config[name]!r}")


def check_own_training(field: str, own: Any) -> None:
    """Raises InputError unless a model's own `train` is a section of what decides outcomes."""
    if not isinstance(own, dict):
        raise InputError(f"config.{field} must be a section, not {own!r}")
    known = [name for name in base().train if name not in FREE_TRAIN]
    for name in own:
        if name not in known:
            raise unknown("field", f"config.{field}.{name}", [f"config.{field}.{k}" for k in known])


def require(sound: bool, field: str, value: Any, rule: str) -> None:
    """Raises InputError, naming the field, for a value that breaks a rule."""
    if not sound:
        raise InputError(f"config.{field}={value!r} {rule}")


def check_numbers(config: dict[str, Any]) -> None:
    """Ranges that hold for every study."""

    def check(sound: bool, field: str, rule: str) -> None:
        require(sound, field, config[field], rule)

    check(config["cycles"] >= 1, "cycles", "must be at least 1")
    check(config["seeds"] >= 1, "seeds", "must be at least 1")
    check(config["budget"] > 0, "budget", "must be above 0")
    check(config["budget"] <= 1, "budget", "is above the pool: it is a share, at most 1")
    known = all(0 <= cycle < config["cycles"] for cycle in config["deploy_cycles"])
    check(known, "deploy_cycles", f"names cycles from 0 to {config['cycles'] - 1}")
    check("random" not in config["policies"], "policies", "need not name random: it is always run")
    check(len(config["policies"]) > 0, "policies", "must name at least one")
    for field in ("score", "evaluate"):
        size = config[field]["batch"]
        require(size >= 1, f"{field}.batch", size, "must be at least 1")


def check_train(section: str, train: dict[str, Any]) -> None:
    """Ranges that hold for config.train, and for what a model makes of it."""

    def check(sound: bool, field: str, rule: str) -> None:
        require(sound, f"{section}.{field}", train[field], rule)

    check(train["batch"] >= 2, "batch", "must be at least 2")
    check(train["batch"] % 2 == 0, "batch", "must be even")
    check(train["accumulate"] >= 1, "accumulate", "must be at least 1")
    even = train["batch"] % (2 * train["accumulate"]) == 0
    check(even, "accumulate", f"does not cut config.{section}.batch={train['batch']} evenly")
    one = (train["steps"] > 0) != (train["epochs"] > 0)
    rule = f"or config.{section}.epochs must be above 0, one of them"
    check(one and train["steps"] >= 0, "steps", rule)
    check(train["learning_rate"] > 0, "learning_rate", "must be above 0")
    check(0 <= train["warmup"] < 1, "warmup", "must be a share, from 0 to below 1")
    check(train["log_every"] >= 1, "log_every", "must be at least 1")
    for field in ("threads", "workers"):
        check(train[field] >= 0, field, "must be at least 0")
