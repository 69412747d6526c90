"""A network of ours with its variables, as a surrogate."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from salx.models import model as networks
from salx.models.model import Model
from salx.surrogates.outputs import Outputs
from salx.surrogates.passes import Dropout, Once, Passes, WeightNoise
from salx.surrogates.surrogate import Batch, Preprocessing, Surrogate
from salx.tasks import Task

NOISY = ("kernel", "scale")  # the parameters that weight noise moves: no biases


@dataclass(frozen=True, eq=False)
class Network(Surrogate):
    """Answer with a network and its variables, and with the module that was trained along, if any.

    Attributes:
      model: the module, and how images reach it.
      arrays: {"params", "batch_stats"} and, with a module trained along, "head": pytrees of arrays.
      task: what it predicts.
      classes: the names of the classes, () where nobody tells them.
      preprocessing: how images reach the surrogate.
      origin: JSON values for the record: a run and its checkpoint, or a file, with the digest.
      head_module: the module that was trained along, None without one.
      head_of: (name, options) of the policy that it was trained for.
      note: what a file of weights was taken as, in a line.
    """

    model: Model
    arrays: Mapping[str, Any] = field(repr=False)
    task: Task
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    origin: dict[str, Any]
    head_module: nn.Module | None = None
    head_of: tuple[str, Mapping[str, Any]] | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """Return the label of the model."""
        return self.model.label

    @property
    def variables(self) -> Mapping[str, Any]:
        """Return the arrays of the network."""
        return self.arrays

    @property
    def outputs(self) -> frozenset[str]:
        """Give logits and maps, and features where the network ends in a pooled map."""
        return frozenset({"logits", "maps"} | ({"features"} if self._has_features else set()))

    @property
    def _has_features(self) -> bool:
        return not self.task.dense

    @property
    def trace_key(self) -> Any:
        """Return the model and the module that was trained along, by value."""
        return (self.model, self.head_module, self.task)

    @property
    def classifier(
        self,
    ) -> tuple[Float[np.ndarray, "d classes"], Float[np.ndarray, " classes"]] | None:
        """Find the last linear layer; a segmentation network has none."""
        layer = networks.classifier_of(self.model, dict(self.arrays))
        return None if layer is None else (np.asarray(layer[0]), np.asarray(layer[1]))

    @property
    def head(self) -> tuple[str, Mapping[str, Any]] | None:
        """Return the policy whose module was trained along."""
        return self.head_of

    def with_head(self, module: nn.Module | None) -> "Network":
        """Add the module that reads the network's "head" variables.

        Args:
          module: of a policy's needs; None for none.

        Returns:
          A surrogate like this one, with the module.
        """
        return replace(self, head_module=module)

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes, or their numbers."""
        return self.classes or tuple(map(str, range(self.model.module.classes)))

    def about(self) -> list[str]:
        """Return what its file was taken as."""
        return [self.note] if self.note else []

    def runs(self, passes: Passes) -> bool:
        """Tell whether it can be asked so: with dropout only where the network has any."""
        if isinstance(passes, Dropout):
            return networks.has_dropout(self.model)
        return isinstance(passes, Once | WeightNoise)

    def forward(self, variables: Any, batch: Batch, passes: Passes, seed: Any) -> Outputs:
        """Answer for images uint8[B, H, W, C], as often as the policy asks."""
        images = batch["image"]
        if not passes.leading:
            return self._answer(variables, images)

        def one(number: jax.Array) -> jax.Array:
            key = jax.random.fold_in(jax.random.key(seed), number)
            if isinstance(passes, WeightNoise):
                return self._answer(noisy(variables, key, passes.scale), images).logits
            keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch["id"])
            return self._answer(variables, images, keys).logits

        return Outputs(logits=jax.lax.map(one, jnp.arange(passes.count)), task=self.task)

    def _answer(self, variables: Any, images: jax.Array, dropout: Any = None) -> Outputs:
        """One pass; `dropout` is None, or a key for each example."""
        arrays = {name: variables[name] for name in ("params", "batch_stats")}
        (logits, out), _ = networks.forward(self.model, arrays, images, dropout=dropout)
        maps = dict(out)
        features = maps.pop("features", None)
        head = None
        if self.head_module is not None:
            taken = {"params": variables["head"]}
            head = self.head_module.apply(taken, logits, out, dense=self.task.dense)
        return Outputs(logits=logits, features=features, maps=maps, head=head, task=self.task)


def noisy(variables: Any, key: PRNGKeyArray, scale: float | Float[Array, ""]) -> Any:
    """Add noise to kernels and normalisation scales: W + scale * ||W|| n / ||n||, n normal.

    Each parameter's noise is keyed by its name as well, so that it depends on no order.

    Args:
      variables: of a network, {"params": ..., ...}.
      key: of the pass.
      scale: the norm of the noise, as a share of the parameter's own.

    Returns:
      The same pytree, whose other arrays are as they were.
    """

    def moved(path: tuple, leaf: jax.Array) -> jax.Array:
        names = [str(entry.key) for entry in path]
        if names[0] != "params" or names[-1] not in NOISY:
            return leaf
        number = zlib.crc32("/".join(names).encode())
        noise = jax.random.normal(jax.random.fold_in(key, number), leaf.shape, leaf.dtype)
        return leaf + scale * jnp.linalg.norm(leaf) * noise / jnp.linalg.norm(noise)

    return jax.tree_util.tree_map_with_path(moved, dict(variables))
