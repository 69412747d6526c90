"""An ensemble of surrogates: its logits have a leading axis, one entry a member."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from salx.infra.errors import ArgumentError
from salx.surrogates.outputs import Outputs
from salx.surrogates.passes import Once, Passes
from salx.surrogates.surrogate import Batch, Preprocessing, Surrogate
from salx.tasks import Task


@dataclass(frozen=True, eq=False)
class Ensemble(Surrogate):
    """Answer with several networks together. Of the members' outputs it has the logits alone.

    Attributes:
      members: networks with the same task, classes and preprocessing.

    Raises:
      ArgumentError: for members that differ in these, or are no networks.
    """

    members: tuple[Surrogate, ...]

    def __post_init__(self) -> None:
        first, *others = self.members
        for other in others:
            if (other.task, other.class_names()) != (first.task, first.class_names()):
                raise ArgumentError(
                    "surrogate",
                    f"{{name}}: {first.label} and {other.label} predict different classes, so "
                    "they are no ensemble",
                )
            if other.preprocessing != first.preprocessing:
                raise ArgumentError(
                    "surrogate",
                    f"{{name}}: {first.label} and {other.label} see images of different "
                    "preprocessing, so they are no ensemble",
                )
        if not all(member.traceable for member in self.members):
            raise ArgumentError("surrogate", "{name}: an ensemble's members must be networks")

    @property
    def label(self) -> str:
        """Join the members' labels by "+"."""
        return "+".join(member.label for member in self.members)

    @property
    def task(self) -> Task:
        """Return the task of the members."""
        return self.members[0].task

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes of the members."""
        return self.members[0].classes

    @property
    def preprocessing(self) -> Preprocessing | None:
        """Return the preprocessing of the members."""
        return self.members[0].preprocessing

    @property
    def origin(self) -> dict[str, Any]:
        """Return every member's origin, its digest among it."""
        return {"members": [member.origin for member in self.members]}

    @property
    def outputs(self) -> frozenset[str]:
        """Give logits alone."""
        return frozenset({"logits"})

    @property
    def variables(self) -> tuple[Any, ...]:
        """Return the variables of each member, in order."""
        return tuple(member.variables for member in self.members)

    @property
    def trace_key(self) -> Any:
        """Return the keys of the members, in order."""
        return tuple(member.trace_key for member in self.members)

    @property
    def leading(self) -> bool:
        """Say that logits have a leading axis, also of a single member."""
        return True

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the members' classes, or their numbers."""
        return self.members[0].class_names()

    def about(self) -> list[str]:
        """Return what the members' users should know of them."""
        return [line for member in self.members for line in member.about()]

    def forward(self, variables: Any, batch: Batch, passes: Passes, seed: Any) -> Outputs:
        """Answer with the logits of all members, [K, B, ...]."""
        every = [
            member.forward(arrays, batch, Once(), seed).logits
            for member, arrays in zip(self.members, variables, strict=True)
        ]
        return Outputs(logits=jnp.stack(every), task=self.task)
