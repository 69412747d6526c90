"""The CIFAR ResNet-20 on CIFAR-10, chosen by entropy against random.

    python -m salx.main --config=configs/cifar10_res20.py \
        --config.dataset.dir=DIR --workdir=W

Data: CIFAR-10 as image folders, DIR/{train,val}/<class>/*; or --config.dataset.source=tfds.
Recipe: K. He et al.'s (arXiv 1512.03385) with batch 64, a cosine and 60 epochs; ten cycles to 20
% of the pool, three seeds, from scratch.
Cost: 33 trainings of 60 epochs. `cifar10_res20.py:small` (3 cycles, 8 steps) takes a minute on 2
cores and says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.cifar10(argument, "res20")
    config.name = "cifar10_res20"
    return config
