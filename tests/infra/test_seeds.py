import numpy as np

from salx.infra import seeds


def test_streams_are_fixed_forever():
    assert seeds.derive(0, "weights") == 31069315
    assert seeds.derive(7, "epoch", 3) == 1104437209
    assert seeds.uniform(3, 7).tolist() == [
        0.625095466604667,
        0.8972138009695755,
        0.7756856902451935,
    ]
    assert seeds.permutation(8, 1).tolist() == [2, 4, 7, 5, 0, 6, 3, 1]


def test_purposes_and_seeds_give_different_streams():
    derived = [seeds.derive(s, p) for s in range(50) for p in ("weights", "batches", "random")]
    assert len(set(derived)) == len(derived)
    assert all(0 <= seed < 2**31 for seed in derived)


def test_uniform_is_uniform_and_permutation_is_one():
    draw = seeds.uniform(100_000, 3)
    assert 0 <= draw.min() < 1e-3
    assert 1 - 1e-3 < draw.max() < 1
    # Kolmogorov-Smirnov distance of n draws stays below 1.95 / sqrt(n) with p = 0.999.
    assert np.abs(np.sort(draw) - np.arange(100_000) / 100_000).max() < 1.95 / 100_000**0.5
    assert sorted(seeds.permutation(1000, 5)) == list(range(1000))
