"""What a policy costs an image of pixels: its score against one plain pass over the logits.

    python -m benchmarks.selection

Entropy, summed over the logits float32[1024, 2048, 19] of one image of a Cityscapes' size, and
the plain sum of the same numbers, which has to read them all; both jitted, timed in turns.
"""

import os
import platform
import statistics
import time

import jax
import jax.numpy as jnp

from salx import policies, tasks

SHAPE = (1024, 2048, 19)
ROUNDS = 9


def main() -> None:
    """Time both in turns and print their medians and the ratio."""
    logits = jax.random.normal(jax.random.key(0), SHAPE)
    valid = jnp.ones(SHAPE[:2], bool)
    policy = policies.build("entropy")
    task = tasks.get("segmentation")
    score = jax.jit(lambda x: policy.score(policies.Outputs(logits=x, valid=valid, task=task)))
    passes = {"plain sum": jax.jit(jnp.sum), "entropy": score}
    seconds = {name: [] for name in passes}
    for _ in range(ROUNDS + 1):
        for name, jitted in passes.items():
            began = time.perf_counter()
            jax.block_until_ready(jitted(logits))
            seconds[name].append(time.perf_counter() - began)
    plain, entropy = (values[1:] for values in seconds.values())  # the first compiles
    print(f"{platform.machine()}, {os.cpu_count()} cores, jax {jax.__version__}, {jax.devices()}")
    for name, values in (("plain sum", plain), ("entropy", entropy)):
        median = statistics.median(values)
        rate = logits.nbytes / median / 1e9
        print(f"{name}: {1000 * median:.1f} ms, {rate:.1f} GB/s, median of {ROUNDS}")
    ratios = [b / a for a, b in zip(plain, entropy, strict=True)]
    print(f"entropy / plain sum: {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()
