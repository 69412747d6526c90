"""How a model is trained, as values: the section `config.train`."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from salx.data.options import Readers


@dataclass(frozen=True)
class Recipe:
    """How to train: the section `config.train`; either `steps` or `epochs` is above 0.

    Attributes:
      batch: examples of a global batch, over all devices.
      accumulate: parts in which a batch goes through the model, if it does not fit.
      steps, epochs: the length of a training.
      optimizer: "sgd", with momentum, or "adamw", whose weight decay is decoupled.
      learning_rate: its peak; it climbs linearly over the share `warmup` of the steps and then
        follows `schedule`.
      schedule: constant, cosine, poly (0.9) or thirds (a tenth after each third).
      momentum: of sgd.
      beta1, beta2, epsilon: of adamw.
      weight_decay: not of biases and normalisation.
      threads, workers: readers that work ahead, and processes of them; they change no outcome,
        as `log_every` and `save_every` (steps; 0 saves at the end alone) do not.
    """

    batch: int = 16
    accumulate: int = 1
    steps: int = 0
    epochs: float = 0.0
    learning_rate: float = 0.1
    schedule: str = "cosine"
    warmup: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 1e-4
    threads: int = 0
    workers: int = 0
    log_every: int = 100
    save_every: int = 0
    optimizer: str = "sgd"
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

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
