"""Read the paper's Tables 3 to 5, and find the one that a study repeats.

Frickenstein et al., IntelliSys 2024; the figures and where they stand are in paper.json.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from salx.report.load.types import RANDOM, StudyFacts


@dataclass(frozen=True)
class Paper:
    """Hold one table of the paper.

    Attributes:
      number: the table's.
      metric: its name.
      policy: the label of the policy that chose.
      seeds: over how many the numbers are taken.
      cells: (mean, std) by deployment and surrogate, in percent.
      potential: results on the whole pool, in percent.
      names: the paper's name of each model of the study that it has.
    """

    number: int
    metric: str
    policy: str
    seeds: int
    cells: Mapping[str, Mapping[str, tuple[float, float]]]
    potential: Mapping[str, float]
    names: Mapping[str, str]

    def figure(self, deployment: str, surrogate: str | None) -> tuple[float, float] | None:
        """Take the paper's result of a pair of the study.

        Args:
          deployment: the label of the model that was trained.
          surrogate: the label of who chose; None of random.

        Returns:
          (mean, std) in percent; None where the paper has no such pair.
        """
        chooser = RANDOM.policy if surrogate is None else self.names.get(surrogate)
        pair = self.cells.get(self.names.get(deployment, ""), {}).get(chooser or "")
        return tuple(pair) if pair else None

    def gain(self, deployment: str, surrogate: str) -> float | None:
        """Take the paper's mean of a pair less its mean of random.

        Args:
          deployment: the label of the model that was trained.
          surrogate: the label of who chose.

        Returns:
          Percent points; None where the paper lacks either.
        """
        pair, random = self.figure(deployment, surrogate), self.figure(deployment, None)
        return pair[0] - random[0] if pair and random else None


@functools.cache
def facts() -> dict[str, Any]:
    """Read paper.json.

    Returns:
      Its content.
    """
    return json.loads((Path(__file__).parent / "paper.json").read_text(encoding="utf-8"))


def find(study: StudyFacts) -> Paper | None:
    """Find the table that a study repeats: the same data set, and models of the paper by network.

    A network counts as itself whatever else is configured of it: a comparison, not an identity.

    Args:
      study: what the study is.

    Returns:
      The table; None where the study repeats none.
    """
    table = facts()["tables"].get(study.dataset.name.lower())
    if table is None or table["policy"] not in study.policies:
        return None
    names = {}
    for label, model in study.config["models"].items():
        network = facts()["networks"].get(str(model.get("name")).removeprefix("deeplab_"))
        if network in table["cells"]:
            names[label] = network
    figures = {f.name: table[f.name] for f in fields(Paper) if f.name != "names"}
    return Paper(**figures, names=names) if names else None
