"""All five policies on real CIFAR-10 images, in an hour on two CPU cores.

    python -m salx.main --config=configs/cifar10_five_policies.py \
        --config.dataset.dir=DIR --workdir=W

Data: CIFAR-10 as image folders, DIR/{train,val}/<class>/*; measured with 10,000 training images
as the pool and 2,000 for validation. --config.dataset.cache=FOLDER decodes once.
Recipe: ours, small: two networks, ResNet-8 and ResNet-20, both surrogates and deployments; four
cycles of 5 % to 20 %, each training 400 steps of 32 images whatever is labelled; three seeds.
Cost: 120 trainings, about half a minute each on 2 cores. So few steps leave all far from what
the networks can do; the comparison is of policies under one small budget of compute.
Word `small`, as `cifar10_five_policies.py:small`: 1 seed; 3 cycles to 6 % of the pool; 8 steps of
4 images at rate 0.01; batches of 4 for scores and evaluation. It takes minutes on 2 cores and
says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.cifar10(argument, "res8", "res20")
    config.name = "cifar10_five_policies"
    config.policies = ("entropy", "learning_loss", "core_set", "true_loss")
    config.cycles = config.cycles if argument else 4
    config.potentials = True
    if not argument:
        config.train.update(batch=32, steps=400, epochs=0.0, warmup=0.05)
    return config
