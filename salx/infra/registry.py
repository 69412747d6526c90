"""Registries: things by name, from the package, from other packages, or from a user's own module.

A policy, a surrogate, a model, a task or a data set is looked up in the registry of its kind by

1. a name that was registered in this process, as those of the package are;
2. the name of an entry point that an installed package declares in the kind's group;
3. `module:Name`, whatever module can be imported.
"""

import functools
import hashlib
import importlib
import importlib.metadata
import inspect
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Any, Generic, TypeVar

from salx.infra.errors import ArgumentError, InputError, first_line, unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """Look up the things of one kind by name.

    Args:
      kind: what messages call such a thing, as in "unknown KIND 'name'".
      group: the group of entry points through which other packages bring theirs.
      modules: the modules that register those of the package; they are imported when the registry
        is first asked, not before.

    Attributes:
      kind, group: as in Args.
    """

    def __init__(self, kind: str, group: str, modules: Iterable[str] = ()):
        self.kind = kind
        self.group = group
        self._modules = list(modules)
        self._values: dict[str, T] = {}

    def add(self, name: str, value: T) -> T:
        """Register a thing under a name.

        The same definition may come again, as where a notebook's cell is run twice.

        Args:
          name: the name, without a colon.
          value: the thing.

        Returns:
          The thing itself.

        Raises:
          ValueError: if another thing has the name, or the name holds a colon.
        """
        if ":" in name:
            raise ValueError(f"{self.kind} {name!r}: a name has no colon")
        if name in self._values and _definition(self._values[name]) != _definition(value):
            first, second = (".".join(_definition(v)[:2]) for v in (self._values[name], value))
            raise ValueError(f"{self.kind} {name!r} is registered twice: {first} and {second}")
        self._values[name] = value
        return value

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers a class or a function under a name.

        Args:
          name: the name, without a colon.

        Returns:
          The decorator, which gives back what it decorates.
        """
        return functools.partial(self.add, name)

    def get(self, name: str, argument: str = "") -> T:
        """Return the thing of a name.

        Args:
          name: a registered name, an entry point's name, or `module:Name`.
          argument: the library function's argument that the name came in; "" if there is none.

        Returns:
          The thing.

        Raises:
          InputError: if there is none, with the nearest name, or if it cannot be loaded.
          ArgumentError: the same, where there is an `argument`.
        """
        if name in self._builtin():
            return self._values[name]
        try:
            if point := self._points().get(name):
                return point.load()
            if ":" in name:
                return _imported(name)
        except Exception as error:  # whatever a module of others raises as it is imported
            why = f"{name!r} cannot be loaded: {type(error).__name__}: {first_line(error)}"
            if argument:
                raise ArgumentError(argument, f"{self.kind} {{name}} {why}") from error
            raise InputError(f"{self.kind} {why}") from error
        kind = f"{self.kind} {{name}}" if argument else self.kind
        raise unknown(kind, name, self.names(), argument)

    def names(self) -> list[str]:
        """List the names that `get` accepts, but for `module:Name`.

        Returns:
          The registered names and those of entry points; no module of other packages is imported.
        """
        return [*self._builtin(), *(self._points().keys() - self._values.keys())]

    def origin(self, name: str) -> dict[str, str] | None:
        """Tell where the thing of a name came from.

        Args:
          name: as for `get`.

        Returns:
          What the function `origin` says of it.

        Raises:
          InputError: as `get` does.
        """
        point = None if name in self._values else self._points().get(name)
        return origin(self.get(name), point.dist if point else None)

    def _builtin(self) -> dict[str, T]:
        """Return all that is registered, after the package's own modules have been imported."""
        while self._modules:
            importlib.import_module(self._modules.pop(0))
        return self._values

    def _points(self) -> dict[str, EntryPoint]:
        """Return the entry points of installed packages, looked up anew, as some may just have
        come.
        """
        return {each.name: each for each in importlib.metadata.entry_points(group=self.group)}


def origin(value: Any, package: Distribution | None = None) -> dict[str, str] | None:
    """Tell where a thing from outside the package came from, for the records of runs.

    Args:
      value: a function, a class, or an instance.
      package: the installed package whose entry point it is; None if that is not known.

    Returns:
      {"module", "package", "version"} of an installed package, {"module", "digest"} with
      `sha256:<hex>` of the source file of any other module ({"module"} where it has none, as in a
      notebook), and None for what is of this package.
    """
    module = _module(value)
    if module.partition(".")[0] == __name__.partition(".")[0]:
        return None
    if package := package or _distribution(module):
        return {"module": module, "package": package.name, "version": package.version}
    if path := _source(module):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"module": module, "digest": f"sha256:{digest}"}
    return {"module": module}


def _definition(value: Any) -> tuple[str, str, Any]:
    """Return what two values share if they are one definition: its module and name, or itself."""
    name = getattr(value, "__qualname__", "")
    return _module(value), name or type(value).__qualname__, None if name else value


def _imported(name: str) -> Any:
    """Import the object that `module:Name` or `module:Name.inner` names."""
    module, _, path = name.partition(":")
    return functools.reduce(getattr, path.split("."), importlib.import_module(module))


def _module(value: Any) -> str:
    """Return the name of the module that defines a function, a class, a partial or an instance."""
    while isinstance(value, functools.partial):
        value = value.func
    return value.__module__


def _source(module: str) -> Path | None:
    """Return the file of a module's source code, None where it has none."""
    try:
        path = inspect.getsourcefile(sys.modules[module])
    except (KeyError, TypeError):  # a built-in module, or a notebook's
        return None
    return Path(path).resolve() if path else None


def _distribution(module: str) -> Distribution | None:
    """Return the installed package that a module's file belongs to, None where there is none."""
    path, top = _source(module), module.partition(".")[0]
    for name in importlib.metadata.packages_distributions().get(top, ()):
        package = importlib.metadata.distribution(name)
        if path and path.is_relative_to(Path(str(package.locate_file(""))).resolve()):
            return package
    return None
