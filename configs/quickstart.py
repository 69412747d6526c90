"""A whole surrogate study on real data, on a laptop.

    ./launch/quickstart.sh
    python -m salx.main --config=configs/quickstart.py --workdir=/tmp/quickstart

Data: the 1,797 real handwritten digits that scikit-learn carries; no download.
Three residual networks of 19,074, 97,198 and 269,434 parameters are surrogates and deployments.
Entropy against random, ten cycles from 2 % (29 labels) to 20 % (287), three seeds.

Time: about two minutes on 2 CPU cores after the installation, 144 trainings of 150 steps.
Expect: 97 to 98 % for data that any of the three chose, 94 to 95 % for random data; three seeds
leave intervals of a few points around the gains.
Word `small`, as `quickstart.py:small`: 1 seed; 3 cycles to 6 % of the pool; 8 steps of 4 images
at rate 0.01; batches of 4 for scores and evaluation. It takes less than a minute on 2 cores and
says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.digits(argument)
    config.name = "quickstart"
    config.deploy_cycles = (config.cycles // 2 - 1, config.cycles - 1)
    return config
