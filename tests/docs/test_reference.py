"""The generated reference has each flag, field, policy, model, task and data set."""

import argparse
import sys
import tomllib
from dataclasses import fields

import pytest
from absl import flags

from salx import commands, policies, tasks
from salx.data.datasets import DATASETS
from salx.data.options import DatasetOptions, TransformOptions
from salx.infra import limits
from salx.infra.sealed import flatten
from salx.models import zoo
from salx.study.config import StudyConfig
from tests.builders import ROOT
from tests.docs.blocks import PAGES

sys.path.insert(0, str(ROOT / "docs" / "_ext"))
try:
    import annotations
    import reference
finally:
    sys.path.pop(0)


def ours(registry, get):
    """The registered names that the package itself brings; other tests register more."""
    return [name for name in registry() if get(name).__module__.startswith("salx.")]


def rows(text):
    """(first cell -> the other cells) of a page's tables."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells[1:] for cells in lines}


def named(name):
    """The part of the pages that a function makes."""
    return reference.PAGES[name]()


def test_every_part_is_on_a_page():
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in reference.PAGES if f"```{{reference}} {name}\n" not in text] == []


def test_every_field_is_there_with_its_meaning():
    listed = rows(named("config_fields"))
    for path in flatten(StudyConfig().to_dict()):
        assert f"config.{path}" in listed
    for field in (*fields(DatasetOptions)[:-1], *fields(TransformOptions)):
        section = "dataset" if field in fields(DatasetOptions) else "transform"
        assert f"config.{section}.{field.name}" in listed
    assert [name for name, cells in listed.items() if not cells[-1].strip("| ")] == []


@pytest.mark.parametrize("name", ours(policies.names, policies.kind))
def test_every_policy_is_there_with_all_its_facts(name):
    text, made = reference.policy(name), policies.kind(name)
    assert f"## {name}\n" in named("policy_pages")
    for fact in ("Equation", *reference.FACTS):
        assert annotations.section(made, fact), fact
    listed = rows(text)
    assert [field.name for field in fields(made) if not listed[field.name][-1]] == []


@pytest.mark.parametrize("name", ours(DATASETS.names, DATASETS.get))
def test_every_data_set_is_there_with_its_options(name):
    section = named("data_sets").split(f"### {name}\n")[1].split("### ")[0]
    for option in limits.parameters(DATASETS.get(name)):
        assert f"`config.dataset.{option}`" in section


def test_every_network_and_option_is_there():
    listed, options = rows(named("models")), rows(named("model_options"))
    page = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    assert [*listed] == zoo.names()
    for name in zoo.names():
        for option in zoo.options_of(zoo.get(name)):
            assert option in options
            assert f"- `{option}`: " in page
    for option in (*zoo.PRETRAINED, "train"):
        assert f"- `{option}`: " in page


def test_every_task_is_there():
    assert [*rows(named("task_names"))] == tasks.TASKS.names()


@pytest.mark.parametrize("name", [name for name in commands.COMMANDS if name != "study"])
def test_every_flag_of_a_command_is_there(name, monkeypatch):
    parsers, parse = [], argparse.ArgumentParser.parse_args

    def noted(parser, *words):
        parsers.append(parser)
        return parse(parser, *words)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", noted)
    text = reference.help_of(name)
    (parser,) = parsers
    for action in parser._actions:
        for flag in action.option_strings:
            assert flag in text
    assert f"## {name}\n" in named("command_help")


def test_every_flag_of_a_study_is_there():
    text = reference.help_of("study")
    every = flags.FLAGS.flags_by_module_dict()["salx.commands.study"]
    assert len(every) > 5
    for flag in every:
        assert f"--{flag.name}:" in text or f"--[no]{flag.name}:" in text


def test_every_room_has_a_sentence():
    for room, cells in rows(named("rooms")).items():
        assert cells[0].strip("| ").endswith("."), room


def test_the_extra_asks_for_what_the_build_installs():
    lines = (ROOT / "docs/requirements.txt").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [line for line in lines if not line.startswith("#")]
    assert project["optional-dependencies"]["docs"] == wanted
