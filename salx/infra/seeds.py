"""Derive independent streams of random numbers from one study seed, the same on every machine."""

import hashlib

import numpy as np
from jaxtyping import Float64, Int64


def derive(seed: int, *purpose: str | int) -> int:
    """Derive a 31-bit seed for one purpose: the head of sha256("seed/purpose/...").

    The initial set, training and the order of batches are seeded apart, so that one of them can
    change without moving the others.

    Args:
      seed: of the study.
      *purpose: words and numbers that name the purpose, such as `"batches"`.

    Returns:
      The first four bytes of the digest, big-endian, without their last bit: 0 to 2**31 - 1.
    """
    text = "/".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def uniform(n: int, seed: int) -> Float64[np.ndarray, " n"]:
    """Draw independent numbers in [0, 1) from PCG64's raw bits, which numpy guarantees forever.

    Args:
      n: how many.
      seed: of this draw.

    Returns:
      The upper 53 bits of each raw number, times 2**-53.
    """
    return (np.random.PCG64(seed).random_raw(n) >> np.uint64(11)) * 2.0**-53


def permutation(n: int, seed: int) -> Int64[np.ndarray, " n"]:
    """Draw a uniform random order of 0, 1, ..., n - 1: the stable argsort of n independent draws.

    Args:
      n: how many positions are ordered.
      seed: of this draw.

    Returns:
      Each of the n positions once.
    """
    return np.argsort(uniform(n, seed), kind="stable")
