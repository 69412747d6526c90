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
    """Stand for an object of another class, and do nothing.

    Its items are those of the object, if that was a dict.

    Attributes:
      state: what was saved of the object's attributes, mostly a dict; None for nothing.
    """

    __hash__ = object.__hash__
    state: Any = None

    def __init__(self, *_: Any, **__: Any):
        """Take any arguments, and forget them."""

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, item: Any) -> None:
        """Take an item of a list, and forget it.

        Args:
          item: whatever the list has.
        """

    add = extend = append


@dataclass(frozen=True)
class Storage:
    """Note where numbers lie in a file.

    Attributes:
      kind: their type, as PyTorch names it, such as "Float".
      key: under which they lie.
      count: how many there are.

    Raises:
      ValueError: for what a sound file does not say.
    """

    kind: str
    key: str
    count: int

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or type(self.count) is not int or self.count < 0:
            raise ValueError("a storage is none")


@dataclass(frozen=True)
class Tensor:
    """Note a tensor that was not read: a view of a storage.

    Attributes:
      storage: where its numbers lie.
      kind: the type that they are read as, such as "Float" or "float32".
      offset: the first of them, counted in numbers of that type.
      shape: lengths of its axes.
      strides: numbers from one place of an axis to the next.

    Raises:
      ValueError: for what a sound file does not say.
    """

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


class _Maker:
    """What stands for a function of PyTorch: it makes something of its arguments."""

    def __init__(self, make: Callable[..., Any]):
        self.make = make

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)

    def __setstate__(self, state: Any) -> None:
        """Ignore what a file would set."""


def _tensor(storage: Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Tensor:
    """A tensor of a typed storage."""
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
    """Read one pickle, importing nothing."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for a class or function, when the pickle names one.

        Args:
          module: where it is defined, as "torch._utils".
          name: its name there.

        Returns:
          Something to call for PyTorch's functions that make tensors, the name of a type of
          numbers or of a storage, and for anything else a class of Inert.
        """
        package = module.partition(".")[0]
        if package == "torch":
            if name in MAKERS:
                return _Maker(MAKERS[name])
            if name == "Size":
                return _Maker(tuple)
            if name.endswith("Storage"):
                return name.removesuffix("Storage")
            if module == "torch":
                return name
        if (module, name) == ("collections", "OrderedDict"):
            return type("Items", (Inert,), {"__init__": dict.__init__})
        return type(name, (Inert,), {})

    def persistent_load(self, pid: Any) -> Storage:
        """Note where a storage lies, when the pickle refers to it.

        Args:
          pid: ("storage", type, key, device, count, ...).

        Returns:
          The note.

        Raises:
          ValueError: for a reference to anything else.
        """
        what, kind, key, _location, count, *_ = pid
        if what != "storage":
            raise ValueError("content of a kind that is not known")
        return Storage(kind, str(key), count)


def load(file: BinaryIO) -> Any:
    """Read the pickle at a file's position, and leave the position behind it.

    Args:
      file: an open file.

    Returns:
      What was saved, with a Tensor for each tensor and Inert for each object.

    Raises:
      Exception: whatever a damaged pickle makes an unpickler raise.
    """
    return Unpickler(file).load()


def state_dict(module: Inert) -> dict[str, Tensor]:
    """Collect the tensors of a module of PyTorch that was saved whole.

    Args:
      module: for which `is_module` is true.

    Returns:
      Its parameters and buffers by their names in PyTorch, those of modules within included.

    Raises:
      ValueError: for modules without end.
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
    """Tell whether something of a pickle stands for a module of PyTorch that was saved whole.

    Args:
      value: anything that `load` returned, or that lies in it.

    Returns:
      Whether it has the attributes of such a module.
    """
    state = getattr(value, "state", None)
    return isinstance(state, dict) and isinstance(state.get("_modules"), dict)
