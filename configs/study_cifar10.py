"""Three CIFAR ResNets choose for three on CIFAR-10, and a fleet hands its choice on.

    python -m salx.main --config=configs/study_cifar10.py \
        --config.dataset.dir=DIR --workdir=W

Data: CIFAR-10 as image folders, DIR/{train,val}/<class>/*; or --config.dataset.source=tfds.
Recipe: K. He et al.'s (arXiv 1512.03385) with batch 64, a cosine and 60 epochs; ten cycles to 20
% of the pool, three seeds, from scratch, by entropy and at random. In the lineage ResNet-8
chooses cycles 0 to 3, ResNet-20 goes on to 6, ResNet-56 to 9. Potentials: 60 epochs on the whole
pool. --config.policies="('entropy','core_set')" adds a policy.
Cost: 204 trainings, 1.6 million steps. Not run here.
Expect: no figures yet.
Word `small`, as `study_cifar10.py:small`: 1 seed; 3 cycles to 6 % of the pool; 8 steps of 4
images at rate 0.01; batches of 4 for scores and evaluation. It takes two minutes on 2 cores and
says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.cifar10(argument, "res8", "res20", "res56")
    config.name = "study_cifar10"
    recipes.generations(config, "res8", "res20", "res56")
    return config
