"""The picks of k-center over some clouds, as JSON: `python -m tests.algorithms.picks DEVICES`."""

import json
import sys

import jax
import numpy as np

from salx.algorithms.k_center import k_center

if __name__ == "__main__":
    assert jax.device_count() == int(sys.argv[1])
    rng = np.random.default_rng(0)
    answers = []
    for features in (rng.normal(size=(2500, 8)), rng.integers(3, size=(2500, 8))):
        features = features.astype(np.float32)
        for labelled in (0, 40):
            pool = features[labelled:]
            for rows in (pool, jax.numpy.asarray(pool)):
                picks, radii = k_center(rows, features[:labelled], 300, candidates=16)
                answers.append([picks.tolist(), radii.tolist()])
    print(json.dumps(answers))
