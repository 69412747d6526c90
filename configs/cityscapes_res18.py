"""DeepLabv3+ over ResNet-18 on Cityscapes, chosen by entropy against random.

    python -m salx.main --config=configs/cityscapes_res18.py \
        --config.dataset.dir=DIR --workdir=W

Data: leftImg8bit and gtFine from https://www.cityscapes-dataset.com (registration,
non-commercial): DIR/leftImg8bit/{train,val}/<city>/ and DIR/gtFine/{train,val}/<city>/ with
*_labelIds.png; or --config.dataset.source=tfds.
Recipe: the paper's (220 epochs, batch 4, SGD, weight decay 4e-4); rate 0.01, poly, crops of 768
and scales 0.5 to 2 are public recipes', which the paper leaves out. Ten cycles to 595 of 2,975
images, three seeds. From ImageNet weights of the Hugging Face hub, fetched once.
Cost: 33 trainings of up to 32,725 steps at 768x768. Not run here in full.
`cityscapes_res18.py:small` (128x256, 3 cycles, 8 steps, no pretrained weights) takes minutes on
2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.cityscapes(argument, "res18")
    config.name = "cityscapes_res18"
    return config
