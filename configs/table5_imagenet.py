"""The paper's Table 5: ResNet-18 and ResNet-34 choose for each other on ImageNet, by entropy.

    python -m salx.main --config=configs/table5_imagenet.py \
        --config.dataset.dir=DIR --workdir=W

Data: ILSVRC 2012 from https://image-net.org (registration, non-commercial research):
DIR/train/<synset>/*.JPEG and DIR/val/<synset>/*.JPEG; or --config.dataset.source=tfds with DIR as
the data_dir of a prepared tfds imagenet2012. --config.dataset.cache=FOLDER and
--config.dataset.resize=256 decode once.
Recipe: the paper's (90 epochs, batch 256, rate 0.1 / 10 every 30 epochs, crops of 224); ten
cycles to 20 % of 1,281,167 images, three seeds, from scratch.
Cost: 72 trainings, 4.1 million steps (1.04 billion images). Not run here. `--plan=N
--step_seconds=res18=...,res34=...` shares it out over N workers and tells their hours,
`--worker=I/N` is one of them.
Expect, in the paper: 58.5 (ResNet-18) and 60.8 % top-1 (ResNet-34) from random data, +0.8 and
+1.3 with the other's choice.
Word `small`, as `table5_imagenet.py:small`: 1 seed; 3 cycles to 50 % of the pool; 8 steps of 4
images of 64x64 at rate 0.01; scores and evaluation at 64x64, cut from 73, in batches of 4; no
worker processes. It takes a minute on 2 cores and says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.imagenet(argument, "res18", "res34")
    config.name = "table5_imagenet"
    return config
