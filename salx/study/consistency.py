"""Checks of what the fields of a study's config say of each other.

Labels name what there is, and runs can be counted and have names.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from salx.infra import limits
from salx.infra.errors import ArgumentError, unknown
from salx.infra.limits import Whole
from salx.infra.numbers import shown
from salx.infra.paths import LONGEST
from salx.run_folder import deployment_name, selection_name

MOST_RUNS = 100_000  # of one grid; the paper's studies have hundreds
Several = Annotated[int, Whole(2, 1000)]  # members of an ensemble
OPTIONS = {
    "members": tuple[str, ...],
    "model": str,
    "weight_seeds": Several,
    "generations": Several,
}
FORMS = ({"members"}, {"model", "weight_seeds"}, {"model", "generations"})
TAKEN = ("random", "all")  # what run folders call the baseline, and the whole pool


def check(config: Mapping[str, Any]) -> None:
    """Check that the fields of a config fit together.

    Args:
      config: plain values, each of which is what its field may hold.

    Raises:
      ArgumentError: naming the field, without "config." before it.
    """
    models, ensembles, lineages = (config[n] for n in ("models", "ensembles", "lineages"))
    if not models:
        raise ArgumentError("models", "{name} must have at least one")
    for label, line in lineages.items():
        _check_lineage(label, line, config)
    for label, spec in ensembles.items():
        _check_ensemble(label, spec, config)
    _check_labels("surrogates", config["surrogates"], [*models, *ensembles])
    _check_labels("deployments", config["deployments"], models)
    for name in ("surrogates", "deployments", "policies", "deploy_cycles"):
        _check_once(name, config[name])
    for name in ("surrogates", "deployments", "policies"):
        if not config[name] and not (name == "surrogates" and lineages):
            raise ArgumentError(name, "{name}=() must name at least one")
    _check_policies(config)
    for cycle in config["deploy_cycles"]:
        if cycle >= config["cycles"]:
            text = f"{{name}}={shown(config['deploy_cycles'])} names cycles from 0 to "
            raise ArgumentError("deploy_cycles", f"{text}{config['cycles'] - 1}")
    _check_size(config)
    _check_names(config)


def _check_lineage(label: str, line: Sequence[str], config: Mapping[str, Any]) -> None:
    """A lineage has models enough for its cycles, and a label of its own."""
    name = f"lineages.{label}"
    _check_labels(name, line, config["models"])
    if label in config["models"] or not 1 <= len(line) <= config["cycles"]:
        text = "must be no model's label, and name at least one and at most "
        text += f"{config['cycles']} models, one for each cycle"
        raise ArgumentError(name, f"{{name}}={shown(line)} {text}")


def _check_ensemble(label: str, spec: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """One of the three forms of an ensemble, with a label of its own."""
    name = f"ensembles.{label}"
    check_form(name, spec)
    if label in config["models"] or label in config["lineages"]:
        raise ArgumentError(name, "{name}: the label is a model's or a lineage's already")
    members = spec.get("members", (spec.get("model"),))
    _check_labels(name, members, config["models"])
    _check_once(name, members)
    if "members" in spec and len(members) < 2:
        text = "must have two members or more, each once"
        raise ArgumentError(name, f"{{name}}={shown(dict(spec))} {text}")


def check_form(name: str, spec: Mapping[str, Any]) -> None:
    """Check that an ensemble has one of the three forms.

    Args:
      name: what the message calls it.
      spec: {"members"}, {"model", "weight_seeds"} or {"model", "generations"}.

    Raises:
      ArgumentError: naming the ensemble, for any other keys; naming the option, for its value.
    """
    if set(spec) not in FORMS:
        forms = "{'members': labels}, {'model': label, 'weight_seeds': k} or "
        forms += "{'model': label, 'generations': g}"
        raise ArgumentError(name, f"{{name}}={shown(dict(spec))} must be {forms}")
    for option, value in spec.items():
        limits.check(f"{name}.{option}", value, OPTIONS[option])


def _check_labels(name: str, labels: Sequence[str], models: Iterable[str]) -> None:
    """Raise ArgumentError for a label that is no model's."""
    choices = set(models)
    for label in labels:
        if label not in choices:
            raise unknown("model in {name}", label, choices, name)


def _check_once(name: str, entries: Sequence[Any]) -> None:
    """Raise ArgumentError for what is named twice."""
    for each, times in Counter(entries).most_common(1):
        if times > 1:
            raise ArgumentError(name, f"{{name}}={shown(entries)} names {each!r} twice")


def _check_policies(config: Mapping[str, Any]) -> None:
    """Policies have options of their own, and none of the names that run folders take."""
    for label in config["policies"]:
        if label in TAKEN:
            why = "need not name random: it is always run"
            why = why if label == "random" else f"cannot name {label!r}: folders use it"
            raise ArgumentError("policies", f"{{name}}={shown(config['policies'])} {why}")
    for label, options in config["options"].items():
        if label not in config["policies"]:
            raise unknown("policy in {name}", label, config["policies"], "options")
        limits.check(f"options.{label}.name", options.get("name", label), str)


def _check_size(config: Mapping[str, Any]) -> None:
    """Bound the runs, counted as if none were shared, before any list of them is made."""
    choosers = len(config["surrogates"]) + len(config["lineages"])
    selections = config["seeds"] * (1 + choosers * len(config["policies"]))
    members = [_members(spec) for spec in config["ensembles"].values()]
    measured = len(config["deployments"]) * (1 + len(config["deploy_cycles"]))
    trainings = selections * (config["cycles"] * max([1, *members]) + measured)
    if trainings > MOST_RUNS:
        text = f"{{name}}={config['seeds']}: with {choosers} surrogates, {len(config['policies'])} "
        text += f"policies and {config['cycles']} cycles this is a study of about {trainings:,} "
        raise ArgumentError("seeds", f"{text}runs; at most {MOST_RUNS:,} can be planned at once")


def _members(spec: Mapping[str, Any]) -> int:
    """How many trainings a choice of an ensemble asks for."""
    return spec.get("weight_seeds") or spec.get("generations") or len(spec["members"])


def _check_names(config: Mapping[str, Any]) -> None:
    """Every run folder's name fits a file system."""
    choosers = [*config["surrogates"], *config["lineages"]]
    policy = max(config["policies"], key=len)
    selection = selection_name(max(choosers, key=len), policy, config["seeds"])
    model = f"{max(config['models'], key=len)}.w{1000}"
    name = deployment_name(model, selection, config["cycles"], head=policy)
    if len(name) > LONGEST:
        labels = {"models": config["models"], "policies": config["policies"]}
        labels |= {"lineages": config["lineages"], "ensembles": config["ensembles"]}
        pairs = [(section, label) for section, every in labels.items() for label in every]
        section, label = max(pairs, key=lambda pair: len(pair[1]))
        text = f"{{name}}: the label {shown(label)} is too long: the folder of a run would have "
        raise ArgumentError(section, f"{text}a name of {len(name)} bytes, and {LONGEST} can be")
