"""The options that data sets and transforms take, with their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from salx.infra.errors import unknown

# What any data set takes beside its own options (see salx.data.datasets.load).
DATASET = {"resize": 0, "cache": "", "on_error": "raise"}

# What becomes of an image, with its mask; sizes are (H, W), (0, 0) is the images' own.
TRANSFORM = {
    "train": "none",  # none, resized_crop, scale_crop, pad_crop
    "size": (0, 0),  # what training sees
    "area": (0.08, 1.0),  # of resized_crop: share of the image
    "scale": (0.5, 2.0),  # of scale_crop
    "pad": 4,  # of pad_crop: pixels on each side
    "flip": False,
    "jitter": 0.0,  # strength of brightness, contrast and saturation
    "evaluate": "none",  # none, center_crop, fit
    "evaluate_size": (0, 0),  # what evaluation and scoring see
    "evaluate_resize": 0,  # of center_crop: the short side before it
}


@dataclass(frozen=True)
class Readers:
    """The readers that work ahead of a pass or a training.

    Attributes:
      threads: how many read; 0 reads in the consumer's thread, which suits data in memory.
      workers: processes that read, each with so many threads.
    """

    threads: int = 0
    workers: int = 0


READ_HERE = Readers()


@dataclass(frozen=True)
class DatasetOptions:
    """The section `config.dataset`.

    Attributes:
      name: a known set, or `module:function`.
      resize: the short side in pixels that images are brought to; 0 keeps them as stored.
      cache: a folder for what is decoded and resized; "" for none.
      on_error: "skip" leaves out what cannot be read, "raise" stops at it.
      options: the set's own.
    """

    name: str = "digits"
    resize: int = DATASET["resize"]
    cache: str = DATASET["cache"]
    on_error: str = DATASET["on_error"]
    options: Mapping[str, Any] = field(default_factory=dict)

    # Where data lies decides no outcome; what lies there is known by its fingerprint.
    PLACES: ClassVar[tuple[str, ...]] = ("dir", "cache")

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "DatasetOptions":
        """Take the section of a plain config, {"name": ..., options}."""
        common = {name: section[name] for name in ("name", *DATASET) if name in section}
        return cls(**common, options={n: v for n, v in section.items() if n not in common})

    def to_dict(self) -> dict[str, Any]:
        """Return the section as a plain config has it."""
        common = {name: getattr(self, name) for name in ("name", *DATASET)}
        return {**common, **self.options}

    def outcome(self) -> dict[str, Any]:
        """Return the fields that decide the outcome."""
        return {n: v for n, v in self.to_dict().items() if n not in self.PLACES}


@dataclass(frozen=True)
class TransformOptions:
    """The section `config.transform`; sizes are (H, W), (0, 0) is the images' own."""

    train: str = TRANSFORM["train"]
    size: tuple[int, int] = TRANSFORM["size"]
    area: tuple[float, float] = TRANSFORM["area"]
    scale: tuple[float, float] = TRANSFORM["scale"]
    pad: int = TRANSFORM["pad"]
    flip: bool = TRANSFORM["flip"]
    jitter: float = TRANSFORM["jitter"]
    evaluate: str = TRANSFORM["evaluate"]
    evaluate_size: tuple[int, int] = TRANSFORM["evaluate_size"]
    evaluate_resize: int = TRANSFORM["evaluate_resize"]

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "TransformOptions":
        """Take the section of a plain config. Raises ArgumentError for an unknown field."""
        for name in section:
            if name not in TRANSFORM:
                raise unknown("field of config.transform", name, TRANSFORM)
        return cls(**section)

    def to_dict(self) -> dict[str, Any]:
        """Return the section as a plain config has it."""
        return {name: getattr(self, name) for name in TRANSFORM}
