"""DeepLabv3+ on ADE20K, chosen by entropy against random.

    python -m salx.main --config=configs/ade20k.py:res18 \
        --config.dataset.dir=DIR --workdir=W

Words: the backbone, one of res18 (ResNet-18), res50 (ResNet-50) and xc65 (Xception-65); after it
`small`, as `:res18,small`, if wanted.
Data: ADEChallengeData2016 from http://sceneparsing.csail.mit.edu (BSD-3, research):
DIR/images/{training,validation}/*.jpg and DIR/annotations/{training,validation}/*.png; or
--config.dataset.source=tfds.
Recipe: the paper's (64 epochs, batch 16, SGD, weight decay 4e-4); rate 0.01, poly, crops of 512
and scales 0.5 to 2 are public recipes', which the paper leaves out. Ten cycles to 4,042 of
20,210 images, three seeds; from ImageNet weights of the Hugging Face hub, fetched once.
Cost: 33 trainings of up to 16,168 steps at 512x512. Not run here in full.
Word `small`: 1 seed; 3 cycles to 75 % of the pool; 8 steps of 4 images of 96x128 at rate 0.01;
scores and evaluation at 96x128 in batches of 4; no pretrained weights; no worker processes. It
takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res18", "res50", "xc65")
    config = recipes.ade20k(small, label)
    config.name = f"ade20k_{label}"
    return config
