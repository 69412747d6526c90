"""The paper's Figure 3, ResNet-34 on ImageNet: five policies after each of ten cycles.

    python -m salx.main --config=configs/fig3_imagenet_res34.py \
        --config.dataset.dir=DIR --workdir=W

Data: ILSVRC 2012 from https://image-net.org (registration, non-commercial research):
DIR/train/<synset>/*.JPEG and DIR/val/<synset>/*.JPEG; or --config.dataset.source=tfds with DIR as
the data_dir of a prepared tfds imagenet2012. --config.dataset.cache=FOLDER and
--config.dataset.resize=256 decode once.
Recipe: the paper's (90 epochs, batch 256, rate 0.1 / 10 every 30 epochs, crops of 224); entropy,
learning loss, Core-Set, true loss (an oracle) and random, each for the model itself; and its
potential, trained on the whole pool. Three seeds, from scratch.
Cost: 168 trainings, 9.9 million steps (2.5 billion images).
Not run here. `--plan=N --step_seconds=res34=...` shares it out over N workers, `--worker=I/N` is
one of them.
Expect, in the paper: 80 to 87 % of the potential with 20 % of the pool.
`fig3_imagenet_res34.py:small` (64x64 crops, 3 cycles, 8 steps each) takes minutes on 2 cores and
says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.curves(recipes.imagenet(argument, "res34"))
    config.name = "fig3_imagenet_res34"
    return config
