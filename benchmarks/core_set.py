"""What exact greedy k-center costs beside the plain ways to compute it, within one process.

    pip install torch==2.13.0  # optional
    python -m benchmarks.core_set [--rows=100000] [--width=512] [--spread=0.3] [--full]

A pool of synthetic features, rectified draws from 1,000 Gaussians whose noise varies from row
to row by the factor exp(spread * normal); 2 % of it is labelled, 2 % is picked, and the distance
to the labelled is always included. Beside it:
- one jitted pass over all rows a pick, by differences in tiles, and by a product with stored
  norms, which is quicker but cancels (both start from our own first distances);
- the loops of TypiClust (a product, no mask) and DISTIL (torch.cdist), restated in PyTorch.
Of the others PASSES picks are timed and multiplied. Then our cost as rows and as picks double.
`--full` does one job of 1.28 million rows, 25,600 labelled and 25,600 picks instead, with its
peak memory. On an accelerator the plain loop's floor, rows read once a pick at the measured
bandwidth, is printed beside it; that part was written without one at hand to try it on.
"""

import argparse
import functools
import os
import platform
import resource
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from rich.console import Console
from rich.table import Table

from salx.algorithms import k_center_state
from salx.algorithms.k_center import cover, k_center
from salx.algorithms.nearest import squared

try:
    import torch
except ImportError:
    torch = None

PASSES = 20
SHARE = 0.02


def main() -> None:
    """Print the tables that the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--spread", type=float, default=0.3)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, jax {jax.__version__}, {jax.devices()}")
    print(f"torch {torch.__version__}" if torch else "no torch: its loops are left out")
    if options.full:
        full(options.width, options.spread)
    else:
        compare(options.rows, options.width, options.spread)
        doubled(options.rows // 2, options.width, options.spread)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def synthetic(rows: int, width: int, tiles: int, spread: float, seed: int = 1) -> jax.Array:
    """Draw float32[rows, width], tile by tile."""
    means = jax.random.normal(jax.random.key(0), (1000, width))

    def tile(key):
        one, two, three = jax.random.split(key, 3)
        classes = jax.random.randint(one, (rows // tiles,), 0, len(means))
        scale = jnp.exp(spread * jax.random.normal(two, (rows // tiles, 1)))
        noise = jax.random.normal(three, (rows // tiles, width))
        return jax.nn.relu(means[classes] + scale * noise)

    return lax.map(tile, jax.random.split(jax.random.key(seed), tiles)).reshape(rows, width)


def draw(rows: int, width: int, spread: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw a pool's features and those of what is labelled; give how many to pick as well."""
    everything = np.array(synthetic(rows, width, rows // 1000, spread))
    labelled = round(SHARE * rows)
    return everything[labelled:], everything[:labelled], labelled


def seconds(call: Callable[[], object], rounds: int = 1) -> float:
    """Time a call: the least of a few rounds, after one that compiles and warms up."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        jax.block_until_ready(call())
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


def by_differences(pool: jax.Array, norms: jax.Array, at: jax.Array) -> jax.Array:
    """Compute the squared distances of all rows to one of them, without the norms."""
    tiles = pool.reshape(-1, 1000, pool.shape[1])
    return lax.map(lambda tile: squared(tile, pool[at]), tiles).ravel()


def by_product(pool: jax.Array, norms: jax.Array, at: jax.Array) -> jax.Array:
    """Compute the same by a product with stored norms, which cancels."""
    return norms + norms[at] - 2 * jnp.matmul(pool, pool[at], precision=lax.Precision.HIGHEST)


@functools.partial(jax.jit, static_argnums=(0, 1))
def plain(
    distance: Callable, count: int, pool: jax.Array, norms: jax.Array, value: jax.Array
) -> jax.Array:
    """Pick greedily with one pass over all rows a pick; give the positions of the picks."""

    def pick(i, state):
        value, picks = state
        at = jnp.argmax(value)
        value = jnp.minimum(value, distance(pool, norms, at)).at[at].set(-1)
        return value, picks.at[i].set(at)

    return lax.fori_loop(0, count, pick, (value, jnp.zeros(count, int)))[1]


def typiclust(pool: "torch.Tensor", centres: "torch.Tensor", count: int) -> None:
    """Pick as TypiClust's loop does."""

    def distances(some, pool):
        lengths = (some**2).sum(1).reshape(-1, 1) + (pool**2).sum(1).reshape(1, -1)
        return lengths - 2 * torch.mm(some, pool.T)

    value = torch.full((len(pool),), float("inf"))
    for some in centres.split(500):
        value = torch.minimum(value, distances(some, pool).min(0)[0])
    for _ in range(count):
        at = torch.argmax(value).item()
        value = torch.cat((value[None], distances(pool[at][None], pool))).min(0)[0]


def distil(pool: "torch.Tensor", centres: "torch.Tensor", count: int) -> None:
    """Pick as DISTIL's loop does."""
    value = torch.cdist(pool, centres).min(1)[0]
    for _ in range(count):
        at = torch.argmax(value)
        value = torch.minimum(value, torch.cdist(pool, pool[at][None])[:, 0])


def extrapolated(loop: Callable[[int], object]) -> tuple[float, float]:
    """Time a loop of few picks: seconds of the start and of each pick."""
    start = seconds(lambda: loop(1))
    return start, max(seconds(lambda: loop(PASSES + 1)) - start, 0.0) / PASSES


def compare(rows: int, width: int, spread: float) -> None:
    """Print a table of all ways to pick from one pool."""
    pool, centres, count = draw(rows, width, spread)
    picks, _ = k_center(pool, centres, count)
    ours = seconds(lambda: k_center(pool, centres, count), rounds=3)
    table = Table(title=f"{rows:,} rows of {width}, {count:,} labelled, {count:,} picks")
    for column in ("way", "start s", "ms a pick", "total s", "over ours"):
        table.add_column(column, justify="left" if column == "way" else "right")
    table.add_row("lazy, all measured", "", f"{1e3 * ours / count:.3f}", f"{ours:.2f}", "1")
    placed = k_center_state.put_rows(pool, str)
    begin = functools.partial(k_center_state.start, placed, centres, count, str)
    first = seconds(lambda: cover()(placed, begin()))
    value = first_distances(cover()(placed, begin()), len(pool))
    held = jnp.asarray(pool)
    norms = jnp.sum(held**2, axis=1)
    others = {}
    for label, distance in (("differences", by_differences), ("a product", by_product)):
        each = seconds(lambda d=distance: plain(d, PASSES, held, norms, value)) / PASSES
        others[f"jitted pass, {label}"] = first, each
    same = np.array_equal(plain(by_differences, PASSES, held, norms, value), picks[:PASSES])
    if torch:
        tensors = torch.from_numpy(pool), torch.from_numpy(centres)
        for label, loop in (("TypiClust's way", typiclust), ("DISTIL's way", distil)):
            others[label] = extrapolated(functools.partial(loop, *tensors))
    for label, (start, each) in others.items():
        total = start + count * each
        numbers = (f"{start:.2f}", f"{1e3 * each:.2f}", f"{total:.2f}", f"{total / ours:.1f}")
        table.add_row(label, *numbers)
    Console(width=100).print(table)
    print(f"the first {PASSES} picks of the plain loop {'are' if same else 'ARE NOT'} ours")
    if jax.default_backend() != "cpu":
        bandwidth(held, count, ours)


def first_distances(state: k_center_state.State, rows: int) -> jax.Array:
    """Give the first distances in the rows' order: they were dealt out over the devices."""
    return jnp.asarray(np.asarray(state.bound).reshape(jax.device_count(), -1).T.ravel()[:rows])


def bandwidth(held: jax.Array, count: int, ours: float) -> None:
    """Print the least that one pass a pick can take: all rows read as fast as for a plain sum."""
    floor = count * seconds(lambda: jnp.sum(held, axis=1), rounds=5)
    speed = count * held.nbytes / floor / 1e9
    print(f"{speed:,.0f} GB/s: one pass a pick takes at least {floor:.2f} s; ours {ours:.2f} s")


def doubled(rows: int, width: int, spread: float) -> None:
    """Print how the cost grows as rows and as picks double."""
    table = Table("rows", "labelled", "picks", "seconds", title="as rows and picks double")
    for size, factor in ((rows, 1), (2 * rows, 1), (rows, 2)):
        pool, centres, _ = draw(size, width, spread)
        centres, picks = centres[: round(SHARE * rows)], factor * round(SHARE * rows)
        taken = seconds(functools.partial(k_center, pool, centres, picks))
        table.add_row(f"{len(pool):,}", f"{len(centres):,}", f"{picks:,}", f"{taken:.2f}")
    Console(width=100).print(table)


def full(width: int, spread: float) -> None:
    """Print the cost of one job of ImageNet's size.

    As a scoring pass would leave them, rows already lie on the devices.
    """
    pool = synthetic(1_280_000, width, 1250, spread).block_until_ready()
    centres = np.asarray(synthetic(25_600, width, 25, spread, 2))
    began = time.perf_counter()
    _, radii = k_center(pool, centres, 25_600)
    taken = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"1.28 M rows of {width}, 25,600 labelled, 25,600 picks: {taken:.0f} s with compilation")
    print(f"distances {radii[0]:.3f} to {radii[-1]:.3f}; peak memory of the process {peak:.2f} GB")


if __name__ == "__main__":
    main()
