"""The options that data sets and transforms take, with their defaults and limits."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from salx.infra import limits, paths
from salx.infra.errors import ArgumentError, unknown
from salx.infra.limits import Limit, OneOf, Real, Whole
from salx.infra.numbers import shown

LARGEST = 16_384  # pixels of a side


@dataclass(frozen=True)
class Sides(Limit):
    """Require (H, W) in pixels, each from 1 to LARGEST, or (0, 0), the images' own size."""

    def check(self, argument: str, value: Any) -> None:
        _require_pair(argument, value, Pixels, f"(H, W) in pixels, each from 1 to {LARGEST}")
        if any(value) and not all(value):
            raise ArgumentError(argument, f"{{name}}={shown(value)} must be (H, W) in pixels")


@dataclass(frozen=True)
class Bounds(Limit):
    """Require (low, high) with 0 < low <= high <= `most`.

    Attributes:
      most: the largest number that is allowed.
    """

    most: float

    def check(self, argument: str, value: Any) -> None:
        rule = f"(low, high), above 0 and at most {self.most:g}"
        _require_pair(argument, value, Annotated[float, Real(f"(0, {self.most}]")], rule)
        if value[0] > value[1]:
            raise ArgumentError(argument, f"{{name}}={shown(value)} must be {rule}")


@dataclass(frozen=True)
class Folder(Limit):
    """Require the path of a folder on this machine, or "" for none."""

    def check(self, argument: str, value: Any) -> None:
        limits.check(argument, value, str)
        if value:
            paths.local(value, argument)


def _require_pair(argument: str, value: Any, kind: Any, rule: str) -> None:
    """Raise ArgumentError, with the rule, for a value that is no pair of such values."""
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
    """Say how many threads and processes read ahead of a pass or a training.

    Attributes:
      threads: threads that read, in each process that does; 0 reads in the consumer's own
        thread, which suits data in memory.
      workers: processes that read, each with so many threads; 0 reads in this process.
    """

    threads: Threads = 0
    workers: Workers = 0


READ_HERE = Readers()


@dataclass(frozen=True)
class DatasetOptions:
    """Choose a data set, and what is done to its items before anything else.

    Attributes:
      name: a registered set's, an entry point's of the group `salx.datasets`, or
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

        Args:
          fields: the mapping; options that are made already are returned as they are.

        Returns:
          The options; they are not checked yet.

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
        """List the options that every set takes.

        Returns:
          {name: default}, in the order of the fields.
        """
        return {each.name: each.default for each in dataclasses.fields(cls)[:-1]}

    def to_dict(self) -> dict[str, Any]:
        """Make the flat mapping that `of` takes, with all defaults filled in.

        Returns:
          {name: value}, of the common options and of those of the set.
        """
        return {**{name: getattr(self, name) for name in self.defaults()}, **self.options}

    def outcome(self) -> dict[str, Any]:
        """Select the options that decide the outcome of a study.

        Returns:
          The mapping of `to_dict`, without the names in PLACES.
        """
        return {name: value for name, value in self.to_dict().items() if name not in self.PLACES}

    def check(self) -> None:
        """Check the common options.

        Raises:
          ArgumentError: naming the field.
        """
        limits.check_options(DatasetOptions, {n: getattr(self, n) for n in self.defaults()})


@dataclass(frozen=True)
class TransformOptions:
    """Choose how an image is changed, and its mask with it, before a model gets it.

    Sizes are (H, W) in pixels; (0, 0) is the images' own.

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

        Args:
          fields: the mapping; options that are made already are returned as they are.

        Returns:
          The options; they are not checked yet.

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
        """List all options.

        Returns:
          {name: default}, in the order of the fields.
        """
        return {each.name: each.default for each in dataclasses.fields(cls)}

    def to_dict(self) -> dict[str, Any]:
        """Make the mapping that `of` takes, with all defaults filled in.

        Returns:
          {name: value}.
        """
        return {name: getattr(self, name) for name in self.defaults()}

    def check(self) -> None:
        """Check names, types and ranges.

        Raises:
          ArgumentError: naming the field.
        """
        limits.check_options(TransformOptions, self.to_dict())
