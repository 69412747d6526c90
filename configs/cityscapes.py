"""DeepLabv3+ on Cityscapes, chosen by entropy against random.

    python -m salx.main --config=configs/cityscapes.py:res18 \
        --config.dataset.dir=DIR --workdir=W

Words: the backbone, one of res20 (ResNet-20), mnv3 (MobileNetV3-Small), res18 (ResNet-18), res50
(ResNet-50) and xc65 (Xception-65); after it `small`, as `:res18,small`, if wanted.
Data: leftImg8bit and gtFine from https://www.cityscapes-dataset.com (registration,
non-commercial): DIR/leftImg8bit/{train,val}/<city>/ and DIR/gtFine/{train,val}/<city>/ with
*_labelIds.png; or --config.dataset.source=tfds.
Recipe: the paper's (220 epochs, batch 4, or 6 for Xception-65, SGD, weight decay 4e-4); rate 0.01,
poly, crops of 768 and scales 0.5 to 2 are public recipes', which the paper leaves out. Ten cycles
to 595 of 2,975 images, three seeds. From ImageNet weights of the Hugging Face hub, fetched once,
but for ResNet-20, of which no public ones are known.
Cost: 33 trainings of up to 32,725 steps (Xception-65: 21,817) at 768x768. Not run here in full.
Word `small`: 1 seed; 3 cycles to 75 % of the pool; 8 steps of 4 images of 128x256 at rate 0.01;
scores and evaluation at 128x256 in batches of 4; no pretrained weights; no worker processes. It
takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res20", "mnv3", "res18", "res50", "xc65")
    config = recipes.cityscapes(small, label)
    config.name = f"cityscapes_{label}"
    return config
