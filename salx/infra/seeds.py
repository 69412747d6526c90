"""One study seed gives independent streams for each purpose, the same on every machine."""

import hashlib

import numpy as np


def derive(seed: int, *purpose: str | int) -> int:
    """Derive a 31-bit seed for one purpose: the head of sha256("seed/purpose/...").

    The initial set, training and the order of batches are seeded apart, so that one of
    them can change without moving the others.
    """
    text = "/".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def uniform(n: int, seed: int) -> np.ndarray:
    """Draw n numbers in [0, 1), float64, from PCG64's raw bits, which numpy guarantees forever."""
    return (np.random.PCG64(seed).random_raw(n) >> np.uint64(11)) * 2.0**-53


def permutation(n: int, seed: int) -> np.ndarray:
    """Draw a uniform random order of range(n), int64: the argsort of n independent draws."""
    return np.argsort(uniform(n, seed), kind="stable")
