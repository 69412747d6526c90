"""A ResNet on ImageNet, chosen by entropy against random.

    python -m salx.main --config=configs/imagenet.py:res34 \
        --config.dataset.dir=DIR --workdir=W

Words: the network, one of res18 (ResNet-18, the same study as of `configs/imagenet_res18.py`) and
res34 (ResNet-34); after it `small`, as `:res34,small`, if wanted.
Data: ILSVRC 2012 from https://image-net.org (registration, non-commercial research):
DIR/train/<synset>/*.JPEG and DIR/val/<synset>/*.JPEG; or --config.dataset.source=tfds with DIR as
the data_dir of a prepared tfds imagenet2012. --config.dataset.cache=FOLDER and
--config.dataset.resize=256 decode once.
Recipe: the paper's (90 epochs, batch 256, rate 0.1 / 10 every 30 epochs, crops of 224); ten
cycles to 20 % of 1,281,167 images, three seeds, from scratch.
Cost: 33 trainings of 25,623 to 256,233 images for 90 epochs. Not run here in full.
Expect, in the paper: 57.1 % top-1 for ResNet-18 by its own choice, 56.1 % from random data.
Word `small`: 1 seed; 3 cycles to 50 % of the pool; 8 steps of 4 images of 64x64 at rate 0.01;
scores and evaluation at 64x64, cut from 73, in batches of 4; no worker processes. It takes a
minute on 2 cores and says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res18", "res34")
    config = recipes.imagenet(small, label)
    config.name = f"imagenet_{label}"
    return config
