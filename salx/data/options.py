"""The options that data sets and transforms take, with their defaults and limits."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from salx.infra import limits, paths
from salx.infra.errors import ArgumentError, unknown
from salx.infra.limits import OneOf, Real, Whole
from salx.infra.numbers import shown

LARGEST = 16_384  # pixels of a side


@dataclass(frozen=True)
class Sides:
    """(H, W) in pixels; (0, 0) is the images' own."""

    def check(self, argument: str, value: Any) -> None:
        """Raise ArgumentError for another value."""
        _require_pair(argument, value, Pixels, f"(H, W) in pixels, each from 1 to {LARGEST}")
        if any(value) and not all(value):
            raise ArgumentError(argument, f"{{name}}={shown(value)} must be (H, W) in pixels")


@dataclass(frozen=True)
class Bounds:
    """(low, high), above 0 and at most `most`."""

    most: float

    def check(self, argument: str, value: Any) -> None:
        """Raise ArgumentError for another value."""
        rule = f"(low, high), above 0 and at most {self.most:g}"
        _require_pair(argument, value, Annotated[float, Real(f"(0, {self.most}]")], rule)
        if value[0] > value[1]:
            raise ArgumentError(argument, f"{{name}}={shown(value)} must be {rule}")


@dataclass(frozen=True)
class Folder:
    """A folder of this machine; "" for none."""

    def check(self, argument: str, value: Any) -> None:
        """Raise ArgumentError for another value."""
        limits.check(argument, value, str)
        if value:
            paths.local(value, argument)


def _require_pair(argument: str, value: Any, kind: Any, rule: str) -> None:
    """Raise ArgumentError, with the rule, for what is no pair of such values."""
    try:
        limits.check(argument, value, tuple[kind, kind])
    except ArgumentError as error:
        text = f"{{name}}={shown(value)} must be {rule}"
        raise ArgumentError(argument, text) from error


Pixels = Annotated[int, Whole(0, LARGEST)]
Size = Annotated[tuple[int, int], Sides()]
Threads = Annotated[int, Whole(0, 1024)]
Workers = Annotated[int, Whole(0, 256)]

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

    threads: Threads = 0
    workers: Workers = 0


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
    resize: Pixels = 0
    cache: Annotated[str, Folder()] = ""
    on_error: Annotated[str, OneOf(ON_ERROR)] = "raise"
    options: Mapping[str, Any] = field(default_factory=dict)

    # Where data lies decides no outcome; what lies there is known by its fingerprint.
    PLACES: ClassVar[tuple[str, ...]] = ("dir", "cache")

    @classmethod
    def of(cls, fields: "DatasetOptions | Mapping[str, Any]") -> Self:
        """Sort a flat mapping, as configs have it, into common options and those of the set.

        Raises:
          ArgumentError: naming the option, for a value that no config can hold.
        """
        if isinstance(fields, cls):
            return fields
        fields = limits.plain(fields)
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
        limits.check_options(DatasetOptions, {n: getattr(self, n) for n in self.defaults()})


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

    train: Annotated[str, OneOf(TRAIN)] = "none"
    size: Size = (0, 0)
    area: Annotated[tuple[float, float], Bounds(1)] = (0.08, 1.0)
    scale: Annotated[tuple[float, float], Bounds(100)] = (0.5, 2.0)
    pad: Pixels = 4
    flip: bool = False
    jitter: Annotated[float, Real("[0, 1)")] = 0.0
    evaluate: Annotated[str, OneOf(EVALUATE)] = "none"
    evaluate_size: Size = (0, 0)
    evaluate_resize: Pixels = 0

    @classmethod
    def of(cls, fields: "TransformOptions | Mapping[str, Any]") -> Self:
        """Make the options of a mapping, as configs and files have it.

        Raises:
          ArgumentError: for an unknown field, and for a value that no config can hold.
        """
        if isinstance(fields, cls):
            return fields
        fields = limits.plain(fields)
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
        limits.check_options(TransformOptions, self.to_dict())
