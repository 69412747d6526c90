"""ResNet-34 on ImageNet, chosen by entropy against random.

    python -m salx.main --config=configs/imagenet_res34.py \
        --config.dataset.dir=DIR --workdir=W

Data: ILSVRC 2012 from https://image-net.org (registration, non-commercial research):
DIR/train/<synset>/*.JPEG and DIR/val/<synset>/*.JPEG; or --config.dataset.source=tfds with DIR
as the data_dir of a prepared tfds imagenet2012.
Recipe: the paper's (90 epochs, batch 256, rate 0.1 / 10 every 30 epochs, crops of 224); ten
cycles to 20 % of 1,281,167 images, three seeds, from scratch. Give --config.dataset.cache=FOLDER
and --config.dataset.resize=256 to decode once.
Cost: 33 trainings of 25,623 to 256,233 images for 90 epochs. Not run here in full.
`imagenet_res34.py:small` (64x64 crops, 3 cycles, 8 steps each) takes a minute on 2 cores and
says nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.imagenet(argument, "res34")
    config.name = "imagenet_res34"
    return config
