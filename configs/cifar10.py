"""A CIFAR ResNet on CIFAR-10, chosen by entropy against random.

    python -m salx.main --config=configs/cifar10.py:res20 \
        --config.dataset.dir=DIR --workdir=W

Words: the network, one of res20 (ResNet-20) and res56 (ResNet-56); after it `small`, as
`:res20,small`, if wanted.
Data: CIFAR-10 as image folders, DIR/{train,val}/<class>/*; or --config.dataset.source=tfds.
Recipe: K. He et al.'s (arXiv 1512.03385) with batch 64, a cosine and 60 epochs; ten cycles to 20
% of the pool, three seeds, from scratch.
Cost: 33 trainings of 60 epochs.
Word `small`: 1 seed; 3 cycles to 6 % of the pool; 8 steps of 4 images at rate 0.01; batches of 4
for scores and evaluation. It takes a minute on 2 cores and says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res20", "res56")
    config = recipes.cifar10(small, label)
    config.name = f"cifar10_{label}"
    return config
