"""SALX: surrogate active learning in JAX."""

from salx.infra.version import __version__ as __version__
