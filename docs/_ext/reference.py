"""The reference, as Markdown, from the registries, the dataclasses and the parsers themselves.

A part with headings begins with one, of the level below the heading that it stands under.
"""

import ast
import contextlib
import importlib
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from annotations import Option, options, section, summary

from salx import commands, policies, tasks
from salx.data.datasets import DATASETS
from salx.data.options import DatasetOptions, TransformOptions
from salx.models import zoo
from salx.study.config import StudyConfig

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("name", "type", "default", "rule", "meaning")
FACTS = ("Source", "Cost", "Use")  # of a policy, behind its equation


def policy_pages() -> str:
    """Describe every policy: equation, source, cost, when to use it, options."""
    return "\n\n".join(policy(name) for name in policies.names())


def policy(name: str) -> str:
    """Describe one policy from its class and its docstring."""
    made = policies.kind(name)
    facts = [f"**{fact}.** {linked(one_line(section(made, fact)))}" for fact in FACTS]
    shown = "An oracle: it is shown labels that nobody has yet." if made.oracle else ""
    parts = [
        f"## {name}",
        one_line(summary(made)),
        shown,
        f"```text\n{section(made, 'Equation')}\n```",
        *facts,
        f"**Unit of its score.** {made.unit}",
        table(options(made)),
    ]
    return "\n\n".join(filter(None, parts))


def config_fields() -> str:
    """List every field of a study's config, section by section."""
    parts = [heading("config", StudyConfig), table(options(StudyConfig), "config.")]
    for each in fields(StudyConfig):
        kind = each.type
        if is_dataclass(kind) and kind not in (DatasetOptions, TransformOptions):
            name = f"config.{each.name}"
            parts += [heading(name, kind), table(options(kind), f"{name}.")]
    common = [option for option in options(DatasetOptions) if option.name != "options"]
    parts += [heading("config.dataset", DatasetOptions), table(common, "config.dataset.")]
    transform = table(options(TransformOptions), "config.transform.")
    parts += [heading("config.transform", TransformOptions), transform]
    return "\n\n".join(parts)


def heading(name: str, owner: Any) -> str:
    """Begin a section with the first sentence of its owner."""
    return f"### {name}\n\n{one_line(summary(owner))}"


def data_sets() -> str:
    """List every data set with its own options."""
    parts = []
    for name in DATASETS.names():
        load = DATASETS.get(name)
        about = one_line(summary(load).split("\n\n")[0])
        parts += [f"### {name}", about, table(options(load), "config.dataset.")]
    return "\n\n".join(filter(None, parts))


def models() -> str:
    """List every network with its options, their rules and their defaults."""
    names = zoo.names()
    columns: dict[str, None] = {}
    for name in names:
        columns |= dict.fromkeys(zoo.options_of(zoo.get(name)))
    rows = []
    for name in names:
        own = {option.name: option for option in options(zoo.get(name))}
        rows.append([f"`{name}`", *(code(own[c].default) if c in own else "" for c in columns)])
    return markdown(["network", *(f"`{column}`" for column in columns)], rows)


def model_options() -> str:
    """List the rules of the options that networks have."""
    every = {
        option.name: option
        for name in zoo.names()
        for option in options(zoo.get(name))
        if option.name in zoo.options_of(zoo.get(name))
    }
    rows = [[f"`{each.name}`", each.kind, each.rule] for each in every.values()]
    return markdown(["option", "type", "rule"], rows)


def task_names() -> str:
    """List the tasks."""
    rows = []
    for name in tasks.TASKS.names():
        task = tasks.get(name)
        rows.append([f"`{name}`", task.metric, task.unit, "each pixel" if task.dense else "image"])
    return markdown(["task", "metric", "unit", "a label for each"], rows)


def command_help() -> str:
    """Show the `--help` of every command, and the flags of a study."""
    parts = []
    for name in commands.COMMANDS:
        parts.append(f"## {name}\n\n```text\n{help_of(name)}\n```")
    return "\n\n".join(parts)


def help_of(name: str) -> str:
    """Return the help of a command, 96 columns wide."""
    from absl import flags

    module = importlib.import_module(f"salx.commands.{name}")
    if name == "study":  # whose flags are absl's
        return f"{module.__doc__}\n{flags.FLAGS.module_help(module.__name__)}".strip()
    printed, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "96"
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            module.main(["--help"])
    finally:
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    return printed.getvalue().strip()


def rooms() -> str:
    """List the rooms of the package from the top to the bottom, with what each is for."""
    lint = ast.parse((ROOT / ".ci/house.py").read_text(encoding="utf-8"))
    assigned = {
        ast.unparse(node.targets[0]): node.value
        for node in lint.body
        if isinstance(node, ast.Assign)
    }
    rows = []
    for level in ast.literal_eval(assigned["ROOMS"]):
        names = ", ".join(f"`{name}`" for name in level)
        rows.append([names, " ".join(filter(None, map(about_room, level)))])
    return markdown(["room", "what is in it"], rows)


def about_room(name: str) -> str:
    """Return the first sentence of a room's docstring, without importing `__main__`."""
    if name in ("__main__", "main"):
        return "Starts the command." if name == "__main__" else "Starts a study."
    module = importlib.import_module("salx" if name == "__init__" else f"salx.{name}")
    return one_line((module.__doc__ or "").split("\n\n")[0]).split(". ")[0].rstrip(".") + "."


def table(rows: Sequence[Option], prefix: str = "") -> str:
    """Write options as a table, a row each; "" for none."""
    if not rows:
        return ""
    return markdown(
        COLUMNS,
        [[f"`{prefix}{o.name}`", o.kind, code(o.default), o.rule, o.meaning] for o in rows],
    )


def code(text: str) -> str:
    """Mark a text as code, unless it is empty."""
    return f"`{text}`" if text else ""


def one_line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(text.split())


def linked(text: str) -> str:
    """Make links of what names a paper by its number at arXiv."""
    return re.sub(r"arXiv (\d{4}\.\d{5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def markdown(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PAGES = {
    each.__name__: each
    for each in (
        policy_pages, config_fields, data_sets, models, model_options, task_names, command_help,
        rooms,
    )
}  # fmt: skip
