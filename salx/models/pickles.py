"""The pickles of PyTorch's checkpoints, read without PyTorch and without running what they name.

A pickle names classes and functions, which a plain unpickler imports and calls. Here a tensor
becomes a note of where its numbers lie, and an object of any other class one that holds what was
saved of it and does nothing. So the settings and callbacks that training tools save beside the
weights do not hinder.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

MOST, DEEPEST = 100_000, 100  # modules of one network, and modules in modules


class Inert(dict):
    """What stands for an object of another class: its items, and in `state` its attributes."""

    __hash__ = object.__hash__
    state: Any = None

    def __init__(self, *_: Any, **__: Any):
        """Take any arguments, and forget them."""

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, _: Any) -> None:
        """Take an item of a list, and forget it."""

    add = extend = append


@dataclass(frozen=True)
class Storage:
    """Where numbers lie in a file: under a key, so many of a kind, such as "Float"."""

    kind: str
    key: str
    count: int

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or type(self.count) is not int or self.count < 0:
            raise ValueError("a storage is none")


@dataclass(frozen=True)
class Tensor:
    """A tensor that was not read: a view of a storage, in numbers of `kind`."""

    storage: Storage
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.shape, *self.strides)
        if any(type(number) is not int or number < 0 for number in numbers):
            raise ValueError("a tensor's shape is none")
        if not isinstance(self.storage, Storage) or not isinstance(self.kind, str):
            raise ValueError("a tensor has no storage")

    def __setstate__(self, state: Any) -> None:
        """Ignore what a file would set."""


class Maker:
    """What stands for a function of PyTorch: it makes something of its arguments."""

    def __init__(self, make: Callable[..., Any]):
        self.make = make

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)

    def __setstate__(self, state: Any) -> None:
        """Ignore what a file would set."""


def _tensor(storage: Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Tensor:
    return Tensor(storage, storage.kind, offset, tuple(shape), tuple(strides))


def _typed(storage: Storage, offset: int, shape: Any, strides: Any, *more: Any) -> Tensor:
    """A tensor of an untyped storage; its third argument more is the type."""
    return Tensor(storage, more[2], offset, tuple(shape), tuple(strides))


MAKERS: dict[str, Callable[..., Any]] = {
    "_rebuild_tensor": _tensor,
    "_rebuild_tensor_v2": _tensor,
    "_rebuild_tensor_v3": _typed,
    "_rebuild_qtensor": _tensor,
    "_rebuild_parameter": lambda data, *_: data,
    "_rebuild_parameter_with_state": lambda data, *_: data,
    "_rebuild_from_type_v2": lambda function, _type, arguments, _state: function(*arguments),
}


class Unpickler(pickle._Unpickler):  # the one in Python: a memo's index cannot fill the memory
    """Reads one pickle; it imports nothing."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for a class or function. Types of numbers are their names."""
        package = module.partition(".")[0]
        if package == "torch":
            if name in MAKERS:
                return Maker(MAKERS[name])
            if name == "Size":
                return Maker(tuple)
            if name.endswith("Storage"):
                return name.removesuffix("Storage")
            if module == "torch":
                return name
        if (module, name) == ("collections", "OrderedDict"):
            return type("Items", (Inert,), {"__init__": dict.__init__})
        return type(name, (Inert,), {})

    def persistent_load(self, pid: Any) -> Storage:
        """Note where a storage lies."""
        what, kind, key, _location, count, *_ = pid
        if what != "storage":
            raise ValueError("content of a kind that is not known")
        return Storage(kind, str(key), count)


def load(file: BinaryIO) -> Any:
    """Read the pickle at a file's position, and leave the position behind it.

    Raises whatever a damaged pickle makes an unpickler raise.
    """
    return Unpickler(file).load()


def state_dict(module: Inert) -> dict[str, Tensor]:
    """Return the tensors of a module that was saved whole, by their names in PyTorch.

    Raises ValueError for modules without end.
    """
    named: dict[str, Tensor] = {}
    stack, visits = [("", 0, module)], 0
    while stack:
        prefix, depth, each = stack.pop()
        visits += 1
        if visits > MOST or depth > DEEPEST:
            raise ValueError("its modules have no end")
        for group in ("_parameters", "_buffers"):
            tensors = (each.state.get(group) or {}).items()
            named |= {f"{prefix}{name}": t for name, t in tensors if isinstance(t, Tensor)}
        for name, child in reversed(each.state["_modules"].items()):
            if is_module(child):
                stack.append((f"{prefix}{name}.", depth + 1, child))
    return named


def is_module(value: Any) -> bool:
    """Tell whether this stands for a module of PyTorch that was saved whole."""
    state = getattr(value, "state", None)
    return isinstance(state, dict) and isinstance(state.get("_modules"), dict)
