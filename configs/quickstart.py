"""A whole surrogate study on real data, on a laptop.

    ./launch/quickstart.sh
    python -m salx.main --config=configs/quickstart.py --workdir=/tmp/quickstart

Data: the 1,797 real handwritten digits that scikit-learn carries; no download.
Three residual networks of 19,074, 97,198 and 269,434 parameters are surrogates and deployments.
Entropy against random, ten cycles from 2 % (29 labels) to 20 % (287), three seeds.

Time: about two minutes on 2 CPU cores after the installation, 144 trainings of 150 steps.
Expect: 97 to 98 % for data that any of the three chose, 94 to 95 % for random data; three seeds
leave intervals of a few points around the gains.
"""

from salx.config import base


def get_config():
    config = base()
    config.name = "quickstart"
    config.dataset.name = "digits"
    config.models.res8 = {"name": "cifar_resnet8", "width": 8}
    config.models.res14 = {"name": "cifar_resnet14", "width": 12}
    config.models.res20 = {"name": "cifar_resnet20", "width": 16}
    config.surrogates = ("res8", "res14", "res20")
    config.deployments = ("res8", "res14", "res20")
    config.deploy_cycles = (4, 9)
    config.train.batch = 16
    config.train.steps = 150
    config.train.learning_rate = 0.05  # 0.1 let 1 of 144 trainings diverge with batches of 16
    config.train.warmup = 0.1
    config.train.weight_decay = 5e-4
    return config
