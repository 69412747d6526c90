"""SALX: surrogate active learning in JAX.

    import salx

    surrogate = salx.load("resnet50.safetensors")       # a past model
    pool = salx.images("~/drives/2026-11")              # images that nobody has labelled
    selection = salx.select(pool, surrogate, "entropy", budget="2%", labelled="old.jsonl")
    selection.keys, selection.scores                    # and .rows(), .to_csv(...), .save(...)

    study = salx.Study(config, "W")                     # surrogates, deployments, statistics
    study.run()
    print(study.table())

`salx.policies` has what a policy of your own needs, `salx.recipes` what configs share. Nothing is
read, and no device is touched, before one of these is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from salx.infra.errors import ArgumentError, InputError, RunError
from salx.infra.observer import Observer
from salx.infra.version import __version__

if TYPE_CHECKING:
    from salx import policies as policies
    from salx.library import (
        Pool,
        Selection,
        Study,
        Surrogate,
        compare,
        images,
        load,
        select,
    )
    from salx.study import recipes as recipes

__all__ = [
    "ArgumentError", "InputError", "Observer", "Pool", "RunError", "Selection", "Study",
    "Surrogate", "__version__", "compare", "images", "load", "policies", "recipes", "select",
]  # fmt: skip

_LIBRARY = frozenset(
    ("Pool", "Selection", "Study", "Surrogate", "compare", "images", "load", "select")
)

_MODULES = {"policies": "salx.policies", "recipes": "salx.study.recipes"}


def __getattr__(name: str) -> Any:
    """Import what the library is made of when it is first used.

    Args:
      name: one of `__all__`, as in `salx.load`.

    Returns:
      The function, class or module of that name.

    Raises:
      AttributeError: for any other name.
    """
    if name in _LIBRARY:
        return getattr(importlib.import_module("salx.library"), name)
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'salx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
