"""The recipe of a training, as values: the section `config.train`."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from salx.data.options import Readers, Threads, Workers
from salx.infra.errors import ArgumentError
from salx.infra.limits import OneOf, Real, Whole

Batch = Annotated[int, Whole(1, 1_000_000)]
Momentum = Annotated[float, Real("[0, 1)")]


@dataclass(frozen=True)
class Recipe:
    """Describe how a model is trained: the section `config.train`.

    Either `steps` or `epochs` is above 0. `threads`, `workers`, `log_every` and `save_every` change
    no outcome.

    Attributes:
      batch: examples of a global batch, over all devices; even.
      accumulate: how many parts a batch goes through the model in, if it does not fit.
      steps: the length of a training in steps; 0 where `epochs` gives it.
      epochs: the length in passes over the labelled examples; 0 where `steps` gives it.
      learning_rate: the highest rate; it climbs linearly to it and then follows `schedule`.
      schedule: "constant", "cosine", "poly" (power 0.9) or "thirds" (a tenth after each third).
      warmup: the fraction of the steps over which the rate climbs.
      momentum: of "sgd".
      weight_decay: of all parameters but biases and normalisation.
      threads: how many threads read images ahead in each process; 0 reads in the consumer's thread.
      workers: how many processes read images ahead; 0 reads in this process.
      log_every: how many steps there are between two lines of the journal.
      save_every: how many steps there are between two checkpoints; 0 saves only at the end.
      optimizer: "sgd", with momentum, or "adamw", whose weight decay is decoupled.
      beta1: the decay of the gradient's running mean in "adamw".
      beta2: the decay of the squared gradient's running mean in "adamw".
      epsilon: added to the denominator in "adamw".
    """

    batch: Annotated[int, Whole(2, 1_000_000)] = 16
    accumulate: Annotated[int, Whole(1, 1_000_000)] = 1
    steps: Annotated[int, Whole(0, 1_000_000_000)] = 0
    epochs: Annotated[float, Real("[0, 1e6]")] = 0.0
    learning_rate: Annotated[float, Real("(0, 1e38]")] = 0.1
    schedule: Annotated[str, OneOf(("constant", "cosine", "poly", "thirds"))] = "cosine"
    warmup: Annotated[float, Real("[0, 1)")] = 0.0
    momentum: Momentum = 0.9
    weight_decay: Annotated[float, Real("[0, 10]")] = 1e-4
    threads: Threads = 0
    workers: Workers = 0
    log_every: Annotated[int, Whole(1)] = 100
    save_every: Annotated[int, Whole(0)] = 0
    optimizer: Annotated[str, OneOf(("sgd", "adamw"))] = "sgd"
    beta1: Momentum = 0.9
    beta2: Momentum = 0.999
    epsilon: Annotated[float, Real("[1e-30, 1]")] = 1e-8

    def check(self) -> None:
        """Check what fields say of each other.

        Raises:
          ArgumentError: naming the field.
        """
        if self.batch % 2:
            raise ArgumentError("batch", f"{{name}}={self.batch} must be even")
        if self.batch % (2 * self.accumulate):
            text = f"{{name}}={self.accumulate} does not cut {{.batch}}={self.batch} evenly"
            raise ArgumentError("accumulate", text)
        if (self.steps > 0) == (self.epochs > 0):
            text = f"{{name}}={self.steps} or {{.epochs}} must be above 0, one of them"
            raise ArgumentError("steps", text)

    @property
    def readers(self) -> Readers:
        """Return the readers that work ahead, in training and in every other pass."""
        return Readers(self.threads, self.workers)

    def total_steps(self, examples: int) -> int:
        """Count the steps of a whole training.

        Args:
          examples: how many labelled examples there are.

        Returns:
          `steps`, or round(epochs * examples / batch) and at least 1.
        """
        return self.steps or max(1, round(self.epochs * examples / self.batch))

    def outcome(self) -> dict[str, Any]:
        """Collect the fields that decide the outcome.

        Those of LATER are left out at their defaults, so that runs of versions that did not have
        them are still the same runs.

        Returns:
          The values by name, in JSON's types.
        """
        values = {name: value for name, value in asdict(self).items() if name not in FREE}
        return {n: v for n, v in values.items() if n not in LATER or v != DEFAULTS[n]}


FREE = ("threads", "workers", "log_every", "save_every")
LATER = ("accumulate", "optimizer", "beta1", "beta2", "epsilon")
DEFAULTS = {field.name: field.default for field in fields(Recipe)}
