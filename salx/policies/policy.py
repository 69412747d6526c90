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
import jax

from salx.infra import limits
from salx.infra.limits import OneOf
from salx.infra.registry import Registry
from salx.policies.scored import Chosen, Rows, Scored, top
from salx.surrogates.outputs import Outputs
from salx.surrogates.passes import Once, Passes


@dataclass(frozen=True)
class Needs:
    """What a policy needs; it is checked before a pass begins.

    Attributes:
      outputs: which of logits, features, maps and score, of an inner tuple any one; none where
        no surrogate is asked.
      labels: the labels of what is labelled, in `scored.labelled.labels`.
      labelled: the rows of what is labelled, in `scored.labelled.rows`.
      classifier: the surrogate's last linear layer, in `scored.classifier`.
      columns: metadata of the pool's examples, by name.
      head: a module that is trained along with the surrogate.
      passes: how often the surrogate is asked.
      members: the outputs have a leading axis also where an ensemble is asked, one entry a
        member; otherwise a policy is shown an ensemble's mean probabilities.
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
    """Make a field that `select` alone reads, so that it does not key the compiled scorer."""
    return field(default=default, metadata={"only_select": True})


def _options(policy: "Policy | type[Policy]") -> dict[str, Field]:
    """The fields of a policy, which is a dataclass, by name."""
    return {each.name: each for each in fields(cast(Any, policy))}


class Policy:
    """How to choose. A subclass has `score`, or `select`, or both.

    Class attributes: `name`, by which configs and flags know it; `title`, `unit` of its scores
    and `marker` (of matplotlib) for the report; `oracle`, whether it is shown true labels that
    nobody has yet, so that it is a reference and no way to choose.
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
        """What the policy needs of the surrogate and the pool; may depend on options."""
        return Needs()

    def score(self, out: Outputs) -> Any:
        """Score one example: a pure function, which scoring vmaps, jits and shards.

        Returns a number, or rows: an array or a dict of arrays.
        """
        raise NotImplementedError(f"policy {self.name} scores nothing")

    def values(self, out: Outputs) -> Any:
        """What a score sums, float32[places], where it sums: drawn as a map of the score."""
        return None

    def select(self, scored: Scored, count: int) -> Chosen:
        """Choose `count` of the candidates, or fewer with a reason; by default the top scores."""
        positions = top(scored.rows, scored.ids, count)
        return Chosen(positions, scored.rows[positions])

    @property
    def options(self) -> dict[str, Any]:
        """The options as JSON has them; a policy within is {"name", "options"}."""

        def plain(value: Any) -> Any:
            if isinstance(value, Policy):
                return {"name": value.name, "options": value.options}
            return [plain(each) for each in value] if isinstance(value, tuple | list) else value

        return {name: plain(getattr(self, name)) for name in _options(self)}

    @property
    def scoring_key(self) -> tuple:
        """What the compiled scorer depends on: the class and the options that `score` reads."""
        options = _options(self)
        read = [name for name in options if not options[name].metadata.get("only_select")]
        return (type(self), *(getattr(self, name) for name in read))

    @property
    def asks(self) -> bool:
        """Whether the policy asks a surrogate at all."""
        return bool(self.needs.outputs)


Aggregation = Annotated[str, OneOf(("sum", "mean"))]


class ScorePolicy(Policy):
    """A policy whose score sums, or averages, one number a place: `values`.

    Its option `aggregation`, "sum" or "mean", says which.
    """

    aggregation: Aggregation

    def __post_init__(self) -> None:
        """Check the aggregation, however a subclass annotates it, with the other options."""
        super().__post_init__()
        limits.check("aggregation", self.aggregation, Aggregation)

    def counts(self, out: Outputs) -> jax.Array:
        """Which places count, bool[places]."""
        return out.valid

    def score(self, out: Outputs) -> jax.Array:
        """Sum or average the values of the places that count: float32[]."""
        return out.task.aggregate(self.values(out), self.counts(out), self.aggregation)


def rows_of(rows: Rows) -> Rows:
    """Check that a policy's score is an array or a dict of arrays, and return it.

    Raises TypeError, naming the kind, for anything else, as rows are kept on disk by name.
    """
    if isinstance(rows, Mapping):
        return {str(name): rows_of(value) for name, value in rows.items()}
    if hasattr(rows, "shape") or isinstance(rows, int | float):
        return rows
    raise TypeError(f"score gave {type(rows).__name__}, not an array or a dict of arrays")
