"""What a policy is: how to choose the examples that are worth a label.

A policy is a frozen dataclass in a file of its own. Its fields are its options, so equal options
are equal policies, which share one compilation:

    @dataclass(frozen=True)
    class Margin(Policy):
        name = "margin"
        aggregation: str = "sum"

        def score(self, out):
            p = jnp.sort(jax.nn.softmax(out.logits))
            return out.aggregate(1 - (p[..., -1] - p[..., -2]), self.aggregation)

It registers itself by its name as the class is made. Packages bring theirs through the entry
point group `salx.policies`; a config or a flag may also say `module:Class`.
"""

import pkgutil
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import flax.linen as nn
from jaxtyping import Array, Bool, Float

from salx.infra import limits
from salx.infra.limits import OneOf
from salx.infra.registry import Registry
from salx.policies.scored import Chosen, Rows, Scored, top
from salx.surrogates.outputs import Outputs
from salx.surrogates.passes import Once, Passes
from salx.tasks import AnyArray


@dataclass(frozen=True)
class Needs:
    """Describe what a policy needs; it is checked before a pass begins.

    Attributes:
      outputs: which of "logits", "features", "maps" and "score"; any one of an inner tuple will
        do; () where no surrogate is asked.
      labels: whether it reads the labels of what is labelled, `scored.labelled.labels`.
      labelled: whether it reads the rows of what is labelled, `scored.labelled.rows`.
      classifier: whether it reads the surrogate's last linear layer, `scored.classifier`.
      columns: names of metadata of the pool's examples.
      head: a module that is trained along with the surrogate; its answer is `out.head`.
      passes: how often the surrogate is asked.
      members: whether it reads each member of an ensemble, on a leading axis of the outputs;
        otherwise it is shown an ensemble's mean probabilities.
    """

    outputs: tuple[str | tuple[str, ...], ...] = ("logits",)
    labels: bool = False
    labelled: bool = False
    classifier: bool = False
    columns: tuple[str, ...] = ()
    head: nn.Module | None = None
    passes: Passes = field(default_factory=Once)
    members: bool = False


POLICIES: Registry[type["Policy"]] = Registry(
    "policy",
    "salx.policies",
    [
        f"{__package__}.{module.name}"
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    ],
)


def only_select(default: Any) -> Any:
    """Make a field of a policy that `select` alone reads: it does not key the compiled scorer.

    Args:
      default: the option's default.

    Returns:
      A field of a dataclass: `distance: str = only_select("euclidean")`.
    """
    return field(default=default, metadata={"only_select": True})


def _options(policy: "Policy | type[Policy]") -> dict[str, Field]:
    """The fields of a policy, which is a dataclass, by name."""
    return {each.name: each for each in fields(cast(Any, policy))}


class Policy:
    """Choose examples that are worth a label. A subclass has `score`, or `select`, or both.

    A subclass is a frozen dataclass, whose fields are its options; the example in
    salx/policies/policy.py is one. It registers itself by its name as the class is made.

    Class attributes:
      name: by which configs and flags know it; a class without one does not register itself.
      title: what the report calls it; the name unless set.
      unit: of its scores, for the report.
      marker: of matplotlib, for the report.
      oracle: whether it is shown true labels that nobody has yet, as `out.label`, so that it is a
        reference and no way to choose.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    unit: ClassVar[str] = "score"
    marker: ClassVar[str] = "v"
    oracle: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the options against what their annotations allow."""
        options = {name: getattr(self, name) for name in _options(self)}
        limits.check_options(type(self), options)

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if cls.__dict__.get("name"):
            POLICIES.add(cls.name, cls)

    @property
    def needs(self) -> Needs:
        """Say what the policy needs of the surrogate and the pool; it may depend on options."""
        return Needs()

    def score(self, out: Outputs) -> Any:
        """Score one example: a pure function, which scoring vmaps, jits and shards.

        Args:
          out: what the surrogate says of one example, without a batch axis.

        Returns:
          A number, float32[]; or rows that `select` reads: an array, or a dict of arrays such as
          {"error": [C], "features": [d]}.

        Raises:
          NotImplementedError: where a policy scores nothing and asks a surrogate all the same.
        """
        raise NotImplementedError(f"policy {self.name} scores nothing")

    def values(self, out: Outputs) -> Any:
        """Compute what the score sums, where it sums: drawn as a map of the score.

        Args:
          out: what the surrogate says of one example, without a batch axis.

        Returns:
          float32[places], or None where the score is no sum over places.
        """
        return None

    def select(self, scored: Scored, count: int) -> Chosen:
        """Choose from the candidates; by default those with the highest scores.

        It must be a function of its arguments alone, so that every process and every rerun chooses
        the same.

        Args:
          scored: the candidates, in the order of their ids, with the rows that `score` gave.
          count: how many to choose, at most the number of candidates.

        Returns:
          `count` distinct candidates, best first; or fewer, with a reason.
        """
        positions = top(scored.rows, scored.ids, count)
        return Chosen(positions, scored.rows[positions])

    @property
    def options(self) -> dict[str, Any]:
        """Return the options as JSON has them; a policy within is {"name", "options"}."""

        def plain(value: Any) -> Any:
            if isinstance(value, Policy):
                return {"name": value.name, "options": value.options}
            return [plain(each) for each in value] if isinstance(value, tuple | list) else value

        return {name: plain(getattr(self, name)) for name in _options(self)}

    @property
    def scoring_key(self) -> tuple:
        """Return what keys the compiled scorer: the class and the options that `score` reads."""
        options = _options(self)
        read = [name for name in options if not options[name].metadata.get("only_select")]
        return (type(self), *(getattr(self, name) for name in read))

    @property
    def asks(self) -> bool:
        """Tell whether the policy asks a surrogate at all."""
        return bool(self.needs.outputs)


Aggregation = Annotated[str, OneOf(("sum", "mean"))]


class ScorePolicy(Policy):
    """Choose by a score that sums, or averages, one number for each place: `values`.

    A place is a pixel where the surrogate predicts pixels, and else the image itself.

    Attributes:
      aggregation: "sum" or "mean" over the places that count.
    """

    aggregation: Aggregation

    def __post_init__(self) -> None:
        """Check the aggregation, however a subclass annotates it, with the other options."""
        super().__post_init__()
        limits.check("aggregation", self.aggregation, Aggregation)

    def counts(self, out: Outputs) -> Bool[AnyArray, "*places"]:
        """Tell which places count; by default those that are image and not padding.

        Args:
          out: what the surrogate says of one example.

        Returns:
          True where a place counts.
        """
        return out.valid

    def score(self, out: Outputs) -> Float[Array, ""]:
        """Sum or average the values of the places that count."""
        return out.task.aggregate(self.values(out), self.counts(out), self.aggregation)


def rows_of(rows: Rows) -> Rows:
    """Check that a policy's score is an array or a dict of arrays: rows are kept on disk by name.

    Args:
      rows: what `score` gave.

    Returns:
      The same, with names of dicts as text.

    Raises:
      TypeError: naming the kind, for anything else.
    """
    if isinstance(rows, Mapping):
        return {str(name): rows_of(value) for name, value in rows.items()}
    if hasattr(rows, "shape") or isinstance(rows, int | float):
        return rows
    raise TypeError(f"score gave {type(rows).__name__}, not an array or a dict of arrays")
