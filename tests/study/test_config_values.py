"""Every field of a config says what it may hold; whatever else it is given is refused in a line
that names the field, before any data is read or anything large is made."""

import copy
import functools
from pathlib import Path

import numpy as np
import pytest

from salx.infra import limits
from salx.infra.errors import InputError
from salx.study import config as configs
from salx.study.context import StudyContext
from salx.study.study import Study
from salx.training import optimizer
from salx.training.recipe import Recipe
from tests.builders import SMALL, module_of

NAN, INF = float("nan"), float("inf")
NO_WHOLE = (-1, 1.5, "3", None, True, NAN, INF, 10**20, (3,), {"a": 1})
NO_REAL = (-1, "x", None, True, NAN, INF, -INF, 10**400, (0.1,), {"a": 1})
NO_TEXT = (5, None, True, ("sgd",), {"a": 1}, "nonsense")
NO_FLAG = (1, 0, "yes", None, (True,))
NO_SECTION = (5, None, "digits", ("a",), True)
NO_LABELS = (5, None, True, {"a": 1}, (5,), (None,), (("a",),), ("a", "a"), ("nobody",), ())
NO_LABEL = ("a.b", "", "a/b", "../x", "é", "a b")

FIELDS = {
    "seeds": (*NO_WHOLE, 0, 10_001),
    "cycles": (*NO_WHOLE, 0, 1001),
    "budget": (*NO_REAL, 0, 1.5),
    "name": (5, None, ("a",), {"a": 1}, "\udcff"),
    "potentials": NO_FLAG,
    "models": (*NO_SECTION, {}, {"a": 3}, {"a": None}, {"a": {}}, {"a": {"name": 5}}, {5: {}}),
    "surrogates": NO_LABELS,
    "deployments": NO_LABELS,
    "policies": (5, None, True, {"a": 1}, (5,), (None,), (("entropy",),), (), ("random",), ("all",),
                 ("entropy", "entropy"), ("entropy.x",)),
    "lineages": (*NO_SECTION, {"x": 5}, {"x": "ab"}, {"x": ()}, {"x": (("a",),)}, {"x": (None,)},
                 {"a": ("a", "b")}, {"x": ("nobody",)}, {"x": ("a",) * 4}, {"a.b": ("a",)}),
    "ensembles": (*NO_SECTION, {"x": 5}, {"x": {}}, {"x": {"members": 5}}, {"x": {"members": "ab"}},
                  {"x": {"members": ("a", "a")}}, {"x": {"members": (("a",), "b")}},
                  {"x": {"model": "a", "weight_seeds": 10**9}}, {"x": {"model": None,
                  "generations": 2}}, {"x": {"model": "a", "generations": True}},
                  {"a": {"members": ("a", "b")}}),
    "options": (*NO_SECTION, {"entropy": 5}, {"nobody": {}}, {"entropy": {"name": 5}},
                {"entropy": {"nonsense": 1}}, {"entropy": {"aggregation": "max"}}),
    "deploy_cycles": (5, None, "2", (0.5,), ("2",), (None,), (3,), (-1,), (1, 1), (10**30,),
                      ((1,),), {"a": 1}, (True,)),
    "dataset": NO_SECTION,
    "transform": NO_SECTION,
    "train": NO_SECTION,
    "score": NO_SECTION,
    "telemetry": NO_SECTION,
    "score.batch": (*NO_WHOLE, 0, 10**9),
    "evaluate.batch": (*NO_WHOLE, 0, 10**9),
    "telemetry.progress": NO_FLAG,
    "telemetry.tensorboard": NO_FLAG,
    "train.batch": (*NO_WHOLE, 0, 7, 10**9),
    "train.accumulate": (*NO_WHOLE, 0, 3),
    "train.steps": (*NO_WHOLE, 0, 10**10),
    "train.epochs": (*NO_REAL, 10**9),
    "train.learning_rate": (*NO_REAL, 0, 1e300),
    "train.schedule": NO_TEXT,
    "train.optimizer": NO_TEXT,
    "train.warmup": (*NO_REAL, 1),
    "train.momentum": (*NO_REAL, 1, 7),
    "train.beta1": (*NO_REAL, 1),
    "train.beta2": (*NO_REAL, 1),
    "train.epsilon": (*NO_REAL, 0, 1e-300, 2),
    "train.weight_decay": (*NO_REAL, 100),
    "train.threads": (*NO_WHOLE, 10**5),
    "train.workers": (*NO_WHOLE, 10**5),
    "train.log_every": (*NO_WHOLE, 0),
    "train.save_every": (*NO_WHOLE, -3),
    "dataset.name": (5, None, True, ("digits",), {"a": 1}, "", "digit", "json:__doc__", "json:x"),
    "dataset.resize": (*NO_WHOLE, 10**6),
    "dataset.cache": (5, None, True, ("a",), "gs://bucket/c", "a\0b", "x" * 300),
    "dataset.on_error": NO_TEXT,
    "transform.train": NO_TEXT,
    "transform.size": (224, None, (4, 0), (4,), (4, 4, 4), ("4", "4"), (NAN, 4), (10**6, 4)),
    "transform.area": (0.5, None, (0.5, 1.5), (0.9, 0.1), (0.5,), (NAN, 1), ("a", "b")),
    "transform.scale": (2, (2, 0.5), (0, 1), (1, INF), (1, 10**6)),
    "transform.pad": (*NO_WHOLE, 10**6),
    "transform.flip": NO_FLAG,
    "transform.jitter": (*NO_REAL, 1.0),
    "transform.evaluate": NO_TEXT,
    "transform.evaluate_size": (224, (4, 0), (True, 4)),
    "transform.evaluate_resize": (*NO_WHOLE, 10**6),
    "models.a.name": (5, None, True, ("a",), "", "cifar_resnet9", "json:x", "json:__doc__"),
    "models.a.width": (*NO_WHOLE, 0, 10**6),
    "models.a.dtype": (5, None, ("float32",), "float16"),
    "models.a.pretrained": (5, True, ("a",)),
    "models.a.train": (5, None, "x", ("a",)),
    "models.a.train.batch": (*NO_WHOLE, 7),
    "models.a.train.momentum": (*NO_REAL, 7),
    "models.a.train.optimizer": NO_TEXT,
    "models.a.train.threads": (2,),
    "nonsense": (1,),
    "train.nonsense": (1,),
}  # fmt: skip

# Whole configs of other parts, by what is changed; the message names the last field.
SCENES = {"name": "scenes", "pool": 20, "val": 5, "height": 32, "width": 32}
MOBILE = {"name": "mobilenet_v3_small"}
OTHERS = [
    ("models", {"a": {"name": "cifar_resnet8", "widht": 3}, "b": {"name": "resnet18"}}, "models.a"),
    ("dataset", {"name": "digits", "nonsense": 1}, "dataset"),
    ("transform", {"nonsense": 1}, "transform"),
    *(("dataset", {**SCENES, name: value}, f"dataset.{name}")
      for name, values in {
          "pool": (*NO_WHOLE, 0, 10**9), "val": (0, 10**9), "height": (31, 10**6),
          "width": (None, "32"), "seed": ("x", NAN, 10**30),
      }.items() for value in values),
    *(("dataset", {"name": "folder", name: value}, f"dataset.{name}")
      for name, values in {
          "dir": (5, None, ("a",), ""), "task": (5, "regression"),
          "labels": (5, ("a",)), "classes": (5, "cat", (5,), {"a": 1}),
      }.items() for value in values),
    *(("models", {"a": {**MOBILE, name: value}, "b": MOBILE}, f"models.a.{name}")
      for name, values in {
          "output_stride": (7, "32", None, 32.0, True), "dropout": (1, -0.1, NAN, "x", None),
          "origin": (5, "caffe", ("tf",)), "dtype": ("int8",),
      }.items() for value in values),
    *(("options", {"entropy": {"name": policy, name: value}}, f"options.entropy.{name}")
      for policy, name, values in (
          ("learning_loss", "width", (*NO_WHOLE, 0, 10**6)),
          ("learning_loss", "margin", (*NO_REAL, 0)),
          ("core_set", "distance", (5, "cosine", None)),
          ("core_set", "feature", (5, None, ("a",))),
          ("tests.outside.policies:Disagreement", "passes", (0, 1.5, "x", None, 10**9)),
          ("tests.outside.policies:Stability", "scale", (NAN, "x", None, True, (1,))),
          ("tests.outside.policies:Holding", "sign", ("x", None)),
      ) for value in values),
]  # fmt: skip


@functools.cache
def plain() -> dict:
    """The small study's config, all defaults filled in."""
    return configs.resolve(module_of(SMALL).get_config()).to_dict()


def changed(path: str, value: object) -> dict:
    """The small study's config with another value."""
    config = copy.deepcopy(plain())
    *above, last = path.split(".")
    section = config
    for name in above:
        section = section.setdefault(name, {})
    section[last] = value
    return config


def built(config: dict) -> StudyContext:
    """A study of a config, with its data, models and policies."""
    study = StudyContext(config, Path("nowhere"))
    study.check_parts()
    assert study.models
    return study


def refused(config: dict) -> str:
    """The line that refuses a config, of which all parts are built if it comes to that."""
    with pytest.raises(InputError) as caught:
        built(config)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 600
    return line


CASES = [(path, value) for path, values in FIELDS.items() for value in values]


@pytest.mark.parametrize(
    ("path", "value"), CASES, ids=[f"{path}={str(value)[:20]!r}" for path, value in CASES]
)
def test_a_bad_value_is_a_line_that_names_the_field(path, value):
    assert f"config.{path}" in refused(changed(path, value)).replace("[0]", "")


@pytest.mark.parametrize(
    ("path", "value", "field"), OTHERS, ids=[f"{field}-{n}" for n, (*_, field) in enumerate(OTHERS)]
)
def test_options_of_parts_are_checked_from_their_annotations(path, value, field):
    assert f"config.{field}" in refused(changed(path, value))


@pytest.mark.parametrize("label", NO_LABEL)
@pytest.mark.parametrize("section", ["models", "options", "lineages", "ensembles"])
def test_labels_that_no_folder_can_have(section, label):
    assert f"config.{section}" in refused(changed(section, {label: {"name": "cifar_resnet8"}}))


@pytest.mark.parametrize("value", [3, True, ("a",)])
def test_a_plan_refuses_weights_that_it_would_not_read(value, tmp_path):
    study = Study(changed("models.a.pretrained", value), tmp_path / "w")
    with pytest.raises(InputError, match=r"^config\.models\.a\.pretrained=.* must be text$"):
        study.plan()


def test_more_than_two_hundred_values_were_tried():
    assert len(CASES) + len(OTHERS) > 600


def test_the_small_study_itself_is_not_refused():
    assert built(plain()).models.keys() == {"a", "b"}


def test_numbers_of_numpy_and_paths_are_what_they_say():
    config = changed("dataset.cache", Path("cache"))
    config |= {"seeds": np.int64(2), "budget": np.float64(0.06), "deploy_cycles": range(1, 3)}
    made = configs.resolve(config)
    assert (made.seeds, made.dataset.cache, made.deploy_cycles) == (2, "cache", (1, 2))
    assert type(made.seeds) is int


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": 10_000, "policies": tuple(f"policy_{k}" for k in range(10_000))},
        {"seeds": 10_000, "cycles": 1000},
        {"cycles": 1000, "seeds": 40, "ensembles": {"x": {"model": "a", "weight_seeds": 1000}}},
    ],
)
def test_a_grid_of_millions_is_refused_before_it_is_made(changes):
    line = refused({**plain(), **changes})
    assert line.startswith("config.seeds=")
    assert "at most 100,000 can be planned at once" in line


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"models": {"a" * 120: {"name": "cifar_resnet8"}}}, "models"),
        ({"policies": ("p" * 120,), "options": {"p" * 120: {"name": "entropy"}}}, "policies"),
        ({"lineages": {"l" * 230: ("a", "b")}}, "lineages"),
    ],
)
def test_a_label_too_long_for_a_folders_name_is_refused(changes, field):
    longest = "a" * 120
    if field == "models":
        changes = {**changes, "surrogates": (longest,), "deployments": (longest,)}
    line = refused({**plain(), **changes})
    assert line.startswith(f"config.{field}: the label '{field[0] if field != 'models' else 'a'}")
    assert "is too long: the folder of a run would have a name of" in line


def test_a_config_that_holds_itself_is_refused():
    nested: dict = {"name": "cifar_resnet8"}
    nested["width"] = nested
    assert "config.models.a" in refused(changed("models.a", nested))


def test_the_words_of_a_recipe_are_those_that_training_knows():
    tables = {"schedule": optimizer.SCHEDULES, "optimizer": optimizer.OPTIMIZERS}
    for field, table in tables.items():
        (rule,) = limits.annotation_of(Recipe, field).__metadata__
        assert set(rule.choices) == set(table)
