"""The options that data sets and transforms take, with their defaults and checks."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from salx.infra.errors import ArgumentError, unknown

Size = tuple[int, int]

ON_ERROR = ("raise", "skip")
TRAIN = ("none", "resized_crop", "scale_crop", "pad_crop")
EVALUATE = ("none", "center_crop", "fit")


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
    """Which data set, and what becomes of its items before anything else.

    Attributes:
      name: of a registered set, an entry point's of the group `salx.datasets`, or
        `module:function`.
      resize: the short side in pixels to which images are scaled; 0 leaves them as stored.
      cache: a folder of this machine for what is decoded and resized; "" for none.
      on_error: "skip" leaves out examples that cannot be read, "raise" stops at the first.
      options: the options of the set itself, by name.
    """

    name: str = "digits"
    resize: int = 0
    cache: str = ""
    on_error: str = "raise"
    options: Mapping[str, Any] = field(default_factory=dict)

    # Where data lies decides no outcome; what lies there is known by its fingerprint.
    PLACES: ClassVar[tuple[str, ...]] = ("dir", "cache")

    @classmethod
    def of(cls, fields: "DatasetOptions | Mapping[str, Any]") -> Self:
        """Sort a flat mapping, as configs have it, into common options and those of the set."""
        if isinstance(fields, cls):
            return fields
        common = {name: value for name, value in fields.items() if name in cls.defaults()}
        rest = {name: value for name, value in fields.items() if name not in common}
        return cls(**{"name": "", **common}, options=rest)

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Give the options that every set takes, by name, with their defaults."""
        return {each.name: each.default for each in dataclasses.fields(cls)[:-1]}

    def to_dict(self) -> dict[str, Any]:
        """Give the flat mapping that `of` takes, all defaults filled in."""
        return {**{name: getattr(self, name) for name in self.defaults()}, **self.options}

    def outcome(self) -> dict[str, Any]:
        """Give those of the flat mapping that decide the outcome of a study."""
        return {name: value for name, value in self.to_dict().items() if name not in self.PLACES}

    def check(self) -> None:
        """Check the common options.

        Raises:
          ArgumentError: naming the field.
        """
        if not isinstance(self.resize, int) or self.resize < 0:
            text = f"{{name}}={self.resize!r} must be the short side in pixels, or 0"
            raise ArgumentError("resize", text)
        if not isinstance(self.cache, str):
            raise ArgumentError("cache", f"{{name}}={self.cache!r} must be a folder")
        if "://" in self.cache:
            text = f"{{name}}={self.cache!r} must be a folder of this machine"
            raise ArgumentError("cache", text)
        if self.on_error not in ON_ERROR:
            raise unknown("{name}", self.on_error, ON_ERROR, "on_error")


@dataclass(frozen=True)
class TransformOptions:
    """What becomes of an image, with its mask; sizes are (H, W), (0, 0) is the images' own.

    Attributes:
      train: "none", "resized_crop", "scale_crop" or "pad_crop", of a training's examples.
      size: what training gives the model.
      area: of resized_crop: the window's share of the image, (low, high).
      scale: of scale_crop: the factor, (low, high).
      pad: of pad_crop: pixels on each side.
      flip: whether every other image of training is mirrored.
      jitter: the strength of brightness, contrast and saturation in training, 0..1.
      evaluate: "none", "center_crop" or "fit", for evaluation and scoring.
      evaluate_size: what evaluation and scoring give the model.
      evaluate_resize: of center_crop: the short side before it, in pixels.
    """

    train: str = "none"
    size: Size = (0, 0)
    area: tuple[float, float] = (0.08, 1.0)
    scale: tuple[float, float] = (0.5, 2.0)
    pad: int = 4
    flip: bool = False
    jitter: float = 0.0
    evaluate: str = "none"
    evaluate_size: Size = (0, 0)
    evaluate_resize: int = 0

    @classmethod
    def of(cls, fields: "TransformOptions | Mapping[str, Any]") -> Self:
        """Make the options of a mapping, as configs and files have it.

        Raises:
          ArgumentError: for an unknown field.
        """
        if isinstance(fields, cls):
            return fields
        for name in fields:
            if name not in cls.defaults():
                raise unknown("field of {.}", name, cls.defaults(), name)
        return cls(**fields)

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Give all options by name with their defaults."""
        return {each.name: each.default for each in dataclasses.fields(cls)}

    def to_dict(self) -> dict[str, Any]:
        """Give the mapping that `of` takes, all defaults filled in."""
        return {name: getattr(self, name) for name in self.defaults()}

    def check(self) -> None:
        """Check names, types and ranges.

        Raises:
          ArgumentError: naming the field.
        """
        for name, choices in (("train", TRAIN), ("evaluate", EVALUATE)):
            if getattr(self, name) not in choices:
                raise unknown("{name}", str(getattr(self, name)), choices, name)
        for name in ("size", "evaluate_size"):
            value = getattr(self, name)
            sound = _pair(value, int) and (min(value) > 0 or not any(value))
            self._require(sound, name, "must be (H, W) in pixels")
        for name in ("area", "scale"):
            value = getattr(self, name)
            sound = _pair(value, int | float) and 0 < value[0] <= value[1]
            self._require(sound, name, "must be (low, high), above 0")
        self._require(self.area[1] <= 1, "area", "is a share, at most 1")
        for name in ("pad", "evaluate_resize"):
            value = getattr(self, name)
            sound = isinstance(value, int) and value >= 0
            self._require(sound, name, "must be a whole number of pixels")
        self._require(isinstance(self.flip, bool), "flip", "must be True or False")
        sound = isinstance(self.jitter, int | float) and 0 <= self.jitter < 1
        self._require(sound, "jitter", "must be from 0 to below 1")

    def _require(self, sound: bool, name: str, rule: str) -> None:
        if not sound:
            raise ArgumentError(name, f"{{name}}={getattr(self, name)!r} {rule}")


def _pair(value: Any, kind: Any) -> bool:
    """Whether a value is a pair of numbers of a kind."""
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(each, kind) for each in value)
    )
