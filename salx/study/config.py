"""The config of a study: its fields with their defaults and limits.

Configs are written as ml-collections ConfigDicts, from `base()`; `resolve` makes the typed,
checked StudyConfig of one, without any data.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any

from ml_collections import ConfigDict

from salx.data.options import DatasetOptions, TransformOptions
from salx.infra import limits
from salx.infra.errors import renamed, unknown
from salx.infra.limits import Real, Whole
from salx.infra.sealed import flatten
from salx.run_folder import Label
from salx.study import consistency
from salx.training.recipe import FREE, Batch, Recipe


@dataclass(frozen=True)
class Pass:
    """Say how a pass over examples is made.

    Attributes:
      batch: how many examples are in a batch, over all devices.
    """

    batch: Batch = 512


@dataclass(frozen=True)
class Telemetry:
    """Say what a study shows while it runs.

    Attributes:
      tensorboard: write TensorBoard events.
      progress: show progress on the terminal.
    """

    tensorboard: bool = False
    progress: bool = True


Described = Mapping[str, Any]  # {"name": ..., options}


@dataclass(frozen=True)
class StudyConfig:
    """Hold everything that a study is.

    Attributes:
      name: the study's, for its report.
      dataset: the data.
      transform: what becomes of its images.
      models: label -> {"name": ..., options}; labels name folders. `train` among the options is
        what differs from `train` for this model.
      surrogates: labels of models and ensembles that choose.
      deployments: labels of models that are trained on what was chosen.
      lineages: label -> labels of models; each chooses its share of the cycles in turn.
      ensembles: label -> {"members": labels}, {"model": label, "weight_seeds": k} or {"model":
        label, "generations": g}: surrogates that are several models.
      policies: labels of policies; random is always there as well.
      options: label -> the policy's options; `name` among them is the policy's name or
        `module:Class`, the label unless given.
      seeds: runs of everything, from the seeds 0, 1, ...
      cycles: choices of a selection, the first of them random.
      budget: the share of the pool that is labelled after the last cycle, above 0 and at most 1.
      deploy_cycles: train deployments after these cycles, counted from 0; () is the last alone.
      potentials: train deployments on the whole pool as well.
      train: how models are trained.
      score: the passes over the pool.
      evaluate: the passes over the validation split.
      telemetry: what is shown meanwhile.
    """

    name: str = "study"
    dataset: DatasetOptions = field(default_factory=DatasetOptions)
    transform: TransformOptions = field(default_factory=TransformOptions)
    models: Mapping[Label, Described] = field(default_factory=dict)
    surrogates: tuple[Label, ...] = ()
    deployments: tuple[Label, ...] = ()
    lineages: Mapping[Label, tuple[Label, ...]] = field(default_factory=dict)
    ensembles: Mapping[Label, Mapping[str, Any]] = field(default_factory=dict)
    policies: tuple[Label, ...] = ("entropy",)
    options: Mapping[Label, Mapping[str, Any]] = field(default_factory=dict)
    seeds: Annotated[int, Whole(1, 10_000)] = 3
    cycles: Annotated[int, Whole(1, 1000)] = 10
    budget: Annotated[float, Real("(0, 1]")] = 0.20
    deploy_cycles: tuple[Annotated[int, Whole(0)], ...] = ()
    potentials: bool = False
    train: Recipe = field(default_factory=Recipe)
    score: Pass = field(default_factory=Pass)
    evaluate: Pass = field(default_factory=Pass)
    telemetry: Telemetry = field(default_factory=Telemetry)

    def to_dict(self) -> dict[str, Any]:
        """Make plain values, as study.json keeps them.

        Returns:
          {field: value}, the sections as dicts.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {
            name: asdict(values[name]) for name in ("train", "score", "evaluate", "telemetry")
        }
        return {**values, "dataset": self.dataset.to_dict(), "transform": self.transform.to_dict()}

    def recipe(self, label: str) -> Recipe:
        """Tell how a model is trained.

        Args:
          label: of the model.

        Returns:
          `train`, with the fields that the model's own `train` changes.
        """
        return replace(self.train, **self.models[label].get("train", {}))

    def policy(self, label: str) -> tuple[str, dict[str, Any]]:
        """Tell which policy a label stands for.

        Args:
          label: of the policy.

        Returns:
          Its name or `module:Class`, and its options.
        """
        options = dict(self.options.get(label, {}))
        return options.pop("name", label), options

    def outcome_fields(self) -> dict[str, Any]:
        """Take the part of the config that must not change within a work folder.

        Returns:
          Plain values.
        """
        return outcome_fields(self.to_dict())


def base() -> ConfigDict:
    """Make a study's config with all defaults. A file in configs/ changes what it needs.

    Returns:
      A ConfigDict with the fields of StudyConfig.
    """
    return ConfigDict(StudyConfig().to_dict())


# What a finished work folder may be visited with: other seeds, models or policies add runs to
# it, and the rest changes nothing in them.
GRID = ("surrogates", "deployments", "lineages", "ensembles", "policies")
GRID += ("deploy_cycles", "potentials")
FREE_FIELDS = ("name", "seeds", "telemetry", "options", *GRID)
# Sections whose fields their own modules know.
OPEN = ("models", "lineages", "ensembles", "options", "dataset", "transform")


def outcome_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Take of a plain config, also of an older version's, what must not change in a work folder.

    Args:
      config: as study.json has it.

    Returns:
      The fields that decide what a run comes to, without models, which are compared one by one.
    """
    rest = {name: value for name, value in config.items() if name not in (*FREE_FIELDS, "models")}
    dataset = DatasetOptions.of(config["dataset"]).outcome()
    return {**rest, "train": Recipe(**config["train"]).outcome(), "dataset": dataset}


def resolve(written: ConfigDict | Mapping[str, Any]) -> StudyConfig:
    """Make the typed config of a written one, and check each field without any data.

    Args:
      written: of `base`, changed, or a dict of its fields.

    Returns:
      The config, whose fields each hold what they may, and fit together.

    Raises:
      InputError: naming the field.
    """
    written = written.to_dict() if isinstance(written, ConfigDict) else written
    limits.check_section("config", written)
    with renamed("config."):
        config = {**StudyConfig().to_dict(), **limits.plain(written)}
        _check_fields(config)
        for name in ("surrogates", "deployments", "policies"):
            if isinstance(config[name], str):
                config[name] = (config[name],)
        limits.check_options(StudyConfig, config)
        for label, options in config["models"].items():
            _check_model(f"models.{label}", options)
        consistency.check(config)
    made = _typed(config)
    for section, check in {
        "dataset": made.dataset.check,
        "transform": made.transform.check,
        "train": made.train.check,
        **{f"models.{label}.train": made.recipe(label).check for label in made.models},
    }.items():
        with renamed(f"config.{section}."):
            check()
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


def check_path(
    path: list[str], at: Mapping[str, Any] | None = None, prefix: str = "config"
) -> None:
    """Check that configs have a field.

    Args:
      path: the field's names, ["train", "batch"].
      at: where the first name stands; None for a whole config.
      prefix: what messages put before the name.

    Raises:
      InputError: with the nearest field, if no config has this one.
    """
    at = StudyConfig().to_dict() if at is None else at
    name, *rest = path
    if name not in at:
        raise unknown("field", f"{prefix}.{name}", [f"{prefix}.{each}" for each in at])
    if rest and isinstance(at[name], Mapping) and name not in OPEN:
        check_path(rest, at[name], f"{prefix}.{name}")


def _check_fields(config: Mapping[str, Any]) -> None:
    """Raise InputError for a field that no config has."""
    defaults = StudyConfig().to_dict()
    for path in flatten(config):
        check_path(path.split("."), defaults)


def _check_model(name: str, options: Mapping[str, Any]) -> None:
    """What every model's section says: a name, and a `train` of what decides outcomes."""
    limits.check(f"{name}.name", options.get("name"), str)
    train = options.get("train", {})
    limits.check_section(f"{name}.train", train)
    choices = [each.name for each in fields(Recipe) if each.name not in FREE]
    for option in train:
        if option not in choices:
            paths = [f"config.{name}.train.{choice}" for choice in choices]
            raise unknown("field", f"config.{name}.train.{option}", paths)
    limits.check_options(Recipe, train, f"{name}.train.")
