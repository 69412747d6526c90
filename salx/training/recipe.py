"""How a model is trained, as values: the section `config.train`."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from salx.data.options import Readers, Threads, Workers
from salx.infra.errors import ArgumentError
from salx.infra.limits import OneOf, Real, Whole

Batch = Annotated[int, Whole(1, 1_000_000)]
Momentum = Annotated[float, Real("[0, 1)")]


@dataclass(frozen=True)
class Recipe:
    """How to train: the section `config.train`; either `steps` or `epochs` is above 0.

    Attributes:
      batch: examples of a global batch, over all devices.
      accumulate: parts in which a batch goes through the model, if it does not fit.
      steps, epochs: the length of a training; one of them is above 0.
      optimizer: "sgd", with momentum, or "adamw", whose weight decay is decoupled.
      learning_rate: its peak, which it reaches after `warmup`; then it follows `schedule`.
      schedule: constant, cosine, poly (0.9) or thirds (a tenth after each third).
      warmup: the share of the steps in which the rate climbs linearly.
      momentum: of sgd.
      beta1, beta2, epsilon: of adamw.
      weight_decay: not of biases and normalisation.
      threads: readers that work ahead; they change no outcome, nor do the next three.
      workers: processes of such readers.
      log_every: steps from one line of metrics to the next.
      save_every: steps from one checkpoint to the next; 0 saves at the end alone.
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
        """The readers that work ahead, in training and in every other pass."""
        return Readers(self.threads, self.workers)

    def total_steps(self, examples: int) -> int:
        """Count the steps of a whole training on so many labelled examples."""
        return self.steps or max(1, round(self.epochs * examples / self.batch))

    def outcome(self) -> dict[str, Any]:
        """Return the fields that decide the outcome; those of LATER are left out at their
        defaults, so that runs of versions that did not have them are still the same runs."""
        values = {name: value for name, value in asdict(self).items() if name not in FREE}
        return {n: v for n, v in values.items() if n not in LATER or v != DEFAULTS[n]}


FREE = ("threads", "workers", "log_every", "save_every")
LATER = ("accumulate", "optimizer", "beta1", "beta2", "epsilon")
DEFAULTS = {field.name: field.default for field in fields(Recipe)}
