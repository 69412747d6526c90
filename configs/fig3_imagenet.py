"""The paper's Figure 3 on ImageNet: five policies after each of ten cycles.

    python -m salx.main --config=configs/fig3_imagenet.py:res18 \
        --config.dataset.dir=DIR --workdir=W

Words: the network, one of res18 (ResNet-18) and res34 (ResNet-34); after it `small`, as
`:res18,small`, if wanted.
Data: ILSVRC 2012 from https://image-net.org (registration, non-commercial research):
DIR/train/<synset>/*.JPEG and DIR/val/<synset>/*.JPEG; or --config.dataset.source=tfds with DIR as
the data_dir of a prepared tfds imagenet2012. --config.dataset.cache=FOLDER and
--config.dataset.resize=256 decode once.
Recipe: the paper's (90 epochs, batch 256, rate 0.1 / 10 every 30 epochs, crops of 224); entropy,
learning loss, Core-Set, true loss (an oracle) and random, each for the model itself; and its
potential, trained on the whole pool. Three seeds, from scratch.
Cost: 168 trainings, 9.9 million steps (2.5 billion images). Not run here. `--plan=N
--step_seconds=res18=...` shares it out over N workers, `--worker=I/N` is one of them.
Expect, in the paper: 80 to 87 % of the potential with 20 % of the pool.
Word `small`: 1 seed; 3 cycles to 50 % of the pool; 8 steps of 4 images of 64x64 at rate 0.01;
scores and evaluation at 64x64, cut from 73, in batches of 4; no worker processes. It takes
minutes on 2 cores and says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res18", "res34")
    config = recipes.curves(recipes.imagenet(small, label))
    config.name = f"fig3_imagenet_{label}"
    return config
