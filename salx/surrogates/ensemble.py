"""A surrogate that is several: its logits have a leading axis, one entry a member."""

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
    """Surrogates of one task that answer together. The members' logits alone are given."""

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
        """The members' labels, joined by "+"."""
        return "+".join(member.label for member in self.members)

    @property
    def task(self) -> Task:
        """The members' task."""
        return self.members[0].task

    @property
    def classes(self) -> tuple[str, ...]:
        """The members' classes."""
        return self.members[0].classes

    @property
    def preprocessing(self) -> Preprocessing | None:
        """The members' preprocessing."""
        return self.members[0].preprocessing

    @property
    def origin(self) -> dict[str, Any]:
        """Every member's origin, its digest among it."""
        return {"members": [member.origin for member in self.members]}

    @property
    def outputs(self) -> frozenset[str]:
        """Logits."""
        return frozenset({"logits"})

    @property
    def variables(self) -> tuple[Any, ...]:
        """The members' variables."""
        return tuple(member.variables for member in self.members)

    @property
    def trace_key(self) -> Any:
        """The members' keys, in order."""
        return tuple(member.trace_key for member in self.members)

    @property
    def leading(self) -> bool:
        """Yes, also of a single member, as a line of generations begins with one."""
        return True

    def class_names(self) -> tuple[str, ...]:
        """Return the members' classes' names, or their numbers."""
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
