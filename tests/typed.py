"""Array shapes of salx checked at run time, in every process that imports this first.

Only functions and dataclasses that annotate arrays with jaxtyping are checked; beartype would
check all other annotations as well, which pyright does without running anything.
"""

from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray, install_import_hook


def names_array(hint: Any) -> bool:
    """Tell whether an annotation holds a jaxtyping array."""
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(map(names_array, get_args(hint)))


def checked(function: Any) -> Any:
    """Check a function's annotations where they name arrays."""
    hints = getattr(function, "__annotations__", {})
    return beartype(function) if any(map(names_array, hints.values())) else function


install_import_hook("salx", "tests.typed.checked")
