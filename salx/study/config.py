"""A study's config: its fields with their defaults, and the checks that need no data.

Configs are written as ml-collections ConfigDicts, from `base()`; `resolve` makes the typed,
checked StudyConfig of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ml_collections import ConfigDict

from salx.data.options import DatasetOptions, TransformOptions
from salx.infra.errors import InputError, renamed, unknown
from salx.infra.sealed import flatten
from salx.run_folder import check_label
from salx.training.recipe import FREE, Recipe


@dataclass(frozen=True)
class Pass:
    """A pass over examples: how many are in a batch, over all devices."""

    batch: int = 512


@dataclass(frozen=True)
class Telemetry:
    """What a study tells while it runs: TensorBoard events, progress on the terminal."""

    tensorboard: bool = False
    progress: bool = True


Described = Mapping[str, Any]  # {"name": ..., options}


@dataclass(frozen=True)
class StudyConfig:
    """Everything that a study is.

    Attributes:
      name: the study's.
      dataset, transform: the data, and what becomes of its images.
      models: label -> {"name": ..., options}; labels name folders. `train` among the options is
        what differs from `train` for this model.
      surrogates: labels of models and ensembles that choose.
      deployments: labels of models that are trained on what was chosen.
      lineages: label -> labels of models; each chooses its share of the cycles in turn.
      ensembles: label -> {"members": labels}, {"model": label, "weight_seeds": k} or {"model":
        label, "generations": g}: surrogates that are several models.
      policies: labels of policies, beside random, which is always there.
      options: label -> the policy's options; `name` among them is the policy's name or
        `module:Class`, the label unless given.
      seeds: runs of everything, from the seeds 0, 1, ...
      cycles: choices of a selection, the first of them random.
      budget: the share of the pool that is labelled after the last cycle.
      deploy_cycles: train deployments after these; () is the last alone.
      potentials: train deployments on the whole pool as well.
      train: how models are trained.
      score, evaluate: the passes over the pool and over the validation split.
      telemetry: what is told meanwhile.
    """

    name: str = "study"
    dataset: DatasetOptions = field(default_factory=DatasetOptions)
    transform: TransformOptions = field(default_factory=TransformOptions)
    models: Mapping[str, Described] = field(default_factory=dict)
    surrogates: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    lineages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ensembles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policies: tuple[str, ...] = ("entropy",)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seeds: int = 3
    cycles: int = 10
    budget: float = 0.20
    deploy_cycles: tuple[int, ...] = ()
    potentials: bool = False
    train: Recipe = field(default_factory=Recipe)
    score: Pass = field(default_factory=Pass)
    evaluate: Pass = field(default_factory=Pass)
    telemetry: Telemetry = field(default_factory=Telemetry)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as study.json keeps them."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {
            name: asdict(values[name]) for name in ("train", "score", "evaluate", "telemetry")
        }
        return {**values, "dataset": self.dataset.to_dict(), "transform": self.transform.to_dict()}

    def recipe(self, label: str) -> Recipe:
        """Return how a model is trained: `train`, with the model's fields in their place."""
        return replace(self.train, **self.models[label].get("train", {}))

    def policy(self, label: str) -> tuple[str, dict[str, Any]]:
        """Return the name and the options of the policy of that label."""
        options = dict(self.options.get(label, {}))
        return options.pop("name", label), options

    def outcome_fields(self) -> dict[str, Any]:
        """Return the part of the config that must not change within a work folder."""
        return outcome_fields(self.to_dict())


def base() -> ConfigDict:
    """Make a study's config. A file in configs/ changes what it needs; a flag one field."""
    return ConfigDict(StudyConfig().to_dict())


# What a finished work folder may be visited with: other seeds, models or policies add runs to
# it, and the rest changes nothing in them.
GRID = ("surrogates", "deployments", "lineages", "ensembles", "policies")
GRID += ("deploy_cycles", "potentials")
FREE_FIELDS = ("name", "seeds", "telemetry", "options", *GRID)
# Sections whose fields their own modules know.
OPEN = ("models", "lineages", "ensembles", "options", "dataset", "transform")


def outcome_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a plain config, also of an older version's, must not change."""
    rest = {name: value for name, value in config.items() if name not in (*FREE_FIELDS, "models")}
    dataset = DatasetOptions.of(config["dataset"]).outcome()
    return {**rest, "train": Recipe(**config["train"]).outcome(), "dataset": dataset}


def resolve(written: ConfigDict | Mapping[str, Any]) -> StudyConfig:
    """Make the typed config of a written one. Raises InputError naming the field."""
    plain = written.to_dict() if isinstance(written, ConfigDict) else dict(written)
    config = {**StudyConfig().to_dict(), **plain}
    check_fields(config)
    for name in ("surrogates", "deployments", "policies"):
        if isinstance(config[name], str):
            config[name] = (config[name],)
    for label, options in config["models"].items():
        check_label("models", label)
        _check_train_section(f"models.{label}.train", options.get("train", {}))
    _check_choosers(config)
    _check_numbers(config)
    made = _typed(config)
    _check_recipe("train", made.train)
    for label in made.models:
        _check_recipe(f"models.{label}.train", made.recipe(label))
    return made


def _typed(config: dict[str, Any]) -> StudyConfig:
    """The sections as dataclasses, lists as tuples."""
    sections = {"train": Recipe, "score": Pass, "evaluate": Pass, "telemetry": Telemetry}
    made = {name: kind(**config[name]) for name, kind in sections.items()}
    for name in ("surrogates", "deployments", "policies", "deploy_cycles"):
        made[name] = tuple(config[name])
    made["lineages"] = {label: tuple(line) for label, line in config["lineages"].items()}
    made["dataset"] = DatasetOptions.of(config["dataset"])
    with renamed("config.transform."):
        made["transform"] = TransformOptions.of(config["transform"])
    return StudyConfig(**{**config, **made})


def _check_choosers(config: dict[str, Any]) -> None:
    """Labels of surrogates, deployments, lineages and ensembles name what there is."""
    models, ensembles = config["models"], config["ensembles"]
    choosers = {"surrogates": [*models, *ensembles], "deployments": [*models]}
    for name, known_labels in choosers.items():
        _check_labels(name, config[name], known_labels)
        some = config[name] or (name == "surrogates" and config["lineages"])
        if not some or len(set(config[name])) != len(config[name]):
            raise InputError(
                f"config.{name}={config[name]} must name each model once, at least one"
            )
    for label, line in config["lineages"].items():
        check_label("lineages", label)
        _check_labels(f"lineages.{label}", line, models)
        if label in models or not 1 <= len(line) <= config["cycles"]:
            raise InputError(
                f"config.lineages.{label}={line!r} must be no model's label, and name at least "
                f"one and at most {config['cycles']} models, one for each cycle"
            )
    for label, spec in ensembles.items():
        check_label("ensembles", label)
        _check_ensemble(label, spec, config)


def _check_ensemble(label: str, spec: Any, config: dict[str, Any]) -> None:
    """One of the three forms of an ensemble."""
    where = f"ensembles.{label}"
    forms = ({"members"}, {"model", "weight_seeds"}, {"model", "generations"})
    if not isinstance(spec, Mapping) or set(spec) not in forms:
        raise InputError(
            f"config.{where}={spec!r} must be {{'members': labels}}, {{'model': label, "
            "'weight_seeds': k}} or {{'model': label, 'generations': g}}"
        )
    if label in config["models"] or label in config["lineages"]:
        raise InputError(f"config.{where}: the label is a model's or a lineage's already")
    labels = spec.get("members", [spec.get("model")])
    _check_labels(where, labels, config["models"])
    count = spec.get("weight_seeds", spec.get("generations", len(labels)))
    if not isinstance(count, int) or count < 2 or len(set(labels)) < len(labels):
        raise InputError(f"config.{where}={spec!r} must have two members or more, each once")


def _check_labels(name: str, labels: Sequence[str], models: Sequence[str] | Mapping) -> None:
    """Raise InputError for a label that is no model's."""
    for label in labels:
        if label not in models:
            raise unknown(f"model in config.{name}", str(label), models)


def check_path(
    path: list[str], at: Mapping[str, Any] | None = None, prefix: str = "config"
) -> None:
    """Raise InputError, with the nearest known one, if no config has the field `path`."""
    at = StudyConfig().to_dict() if at is None else at
    name, *rest = path
    if name not in at:
        raise unknown("field", f"{prefix}.{name}", [f"{prefix}.{each}" for each in at])
    if rest and isinstance(at[name], Mapping) and name not in OPEN:
        check_path(rest, at[name], f"{prefix}.{name}")


def check_fields(config: Mapping[str, Any]) -> None:
    """Raise InputError for a field that no config has, or a section that is none."""
    defaults = StudyConfig().to_dict()
    for path in flatten(config):
        check_path(path.split("."), defaults)
    for name, default in defaults.items():
        if isinstance(default, Mapping) and not isinstance(config[name], Mapping):
            raise InputError(f"config.{name} must be a section, not {config[name]!r}")


def _check_train_section(name: str, section: Any) -> None:
    """A model's `train` is a section of what decides outcomes."""
    if not isinstance(section, Mapping):
        raise InputError(f"config.{name} must be a section, not {section!r}")
    choices = [each.name for each in fields(Recipe) if each.name not in FREE]
    for option in section:
        if option not in choices:
            paths = [f"config.{name}.{choice}" for choice in choices]
            raise unknown("field", f"config.{name}.{option}", paths)


def require(sound: bool, name: str, value: Any, rule: str) -> None:
    """Raise InputError, naming the field, for a value that breaks a rule."""
    if not sound:
        raise InputError(f"config.{name}={value!r} {rule}")


def _check_numbers(config: dict[str, Any]) -> None:
    """Ranges that hold for every study."""

    def check(sound: bool, name: str, rule: str) -> None:
        require(sound, name, config[name], rule)

    check(config["cycles"] >= 1, "cycles", "must be at least 1")
    check(config["seeds"] >= 1, "seeds", "must be at least 1")
    check(config["budget"] > 0, "budget", "must be above 0")
    check(config["budget"] <= 1, "budget", "is above the pool: it is a share, at most 1")
    sound = all(0 <= cycle < config["cycles"] for cycle in config["deploy_cycles"])
    check(sound, "deploy_cycles", f"names cycles from 0 to {config['cycles'] - 1}")
    check("random" not in config["policies"], "policies", "need not name random: it is always run")
    check(len(config["policies"]) > 0, "policies", "must name at least one")
    for name in ("score", "evaluate"):
        size = config[name]["batch"]
        require(size >= 1, f"{name}.batch", size, "must be at least 1")


def _check_recipe(section: str, train: Recipe) -> None:
    """Ranges that hold for config.train, and for what a model makes of it."""

    def check(sound: bool, name: str, rule: str) -> None:
        require(sound, f"{section}.{name}", getattr(train, name), rule)

    check(train.batch >= 2, "batch", "must be at least 2")
    check(train.batch % 2 == 0, "batch", "must be even")
    check(train.accumulate >= 1, "accumulate", "must be at least 1")
    even = train.batch % (2 * train.accumulate) == 0
    check(even, "accumulate", f"does not cut config.{section}.batch={train.batch} evenly")
    one = (train.steps > 0) != (train.epochs > 0)
    rule = f"or config.{section}.epochs must be above 0, one of them"
    check(one and train.steps >= 0, "steps", rule)
    check(train.learning_rate > 0, "learning_rate", "must be above 0")
    check(0 <= train.warmup < 1, "warmup", "must be a share, from 0 to below 1")
    check(train.log_every >= 1, "log_every", "must be at least 1")
    for name in ("threads", "workers"):
        check(getattr(train, name) >= 0, name, "must be at least 0")
    for name in ("beta1", "beta2"):
        check(0 <= getattr(train, name) < 1, name, "must be from 0 to below 1")
    check(train.epsilon > 0, "epsilon", "must be above 0")
