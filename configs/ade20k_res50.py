"""DeepLabv3+ over ResNet-50 on ADE20K, chosen by entropy against random.

    python -m salx.main --config=configs/ade20k_res50.py \
        --config.dataset.dir=DIR --workdir=W

Data: ADEChallengeData2016 from http://sceneparsing.csail.mit.edu (BSD-3, research):
DIR/images/{training,validation}/*.jpg and DIR/annotations/{training,validation}/*.png; or
--config.dataset.source=tfds.
Recipe: the paper's (64 epochs, batch 16, SGD, weight decay 4e-4); rate 0.01, poly, crops of 512
and scales 0.5 to 2 are public recipes', which the paper leaves out. Ten cycles to 4,042 of
20,210 images, three seeds; from ImageNet weights of the Hugging Face hub, fetched once.
Cost: 33 trainings of up to 16,168 steps at 512x512. Not run here in full.
`ade20k_res50.py:small` (96x128, 3 cycles, 8 steps, no pretrained weights) takes minutes on 2
cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.ade20k(argument, "res50")
    config.name = "ade20k_res50"
    return config
