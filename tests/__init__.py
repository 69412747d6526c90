"""The tests; salx is imported after the hook that checks the shapes of its arrays."""

from tests import typed

__all__ = ["typed"]
