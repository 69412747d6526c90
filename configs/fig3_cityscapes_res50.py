"""The paper's Figure 3, ResNet-50 on Cityscapes: five policies after each of ten cycles.

    python -m salx.main --config=configs/fig3_cityscapes_res50.py \
        --config.dataset.dir=DIR --workdir=W

Data: leftImg8bit and gtFine from https://www.cityscapes-dataset.com (registration,
non-commercial): DIR/leftImg8bit/{train,val}/<city>/ and DIR/gtFine/{train,val}/<city>/ with
*_labelIds.png; or --config.dataset.source=tfds.
Recipe: the paper's (220 epochs, batch 4, SGD, weight decay 4e-4); rate 0.01, poly, crops of 768
and scales 0.5 to 2 are public recipes', which the paper leaves out. DeepLabv3+ chooses for itself
by entropy, learning loss, Core-Set, true loss (an oracle) and at random; its potential is trained
on the whole pool. Three seeds. From ImageNet weights of the Hugging Face hub, fetched once.
Cost: 168 trainings, 3.6 million steps at 768x768. Not run here. `--plan=N
--step_seconds=res50=...` shares it out over N workers, `--worker=I/N` is one of them.
Expect, in the paper: 91 to 93 % of the potential with 20 % of the pool.
`fig3_cityscapes_res50.py:small` (128x256, 3 cycles, 8 steps, no pretrained weights) takes minutes
on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.curves(recipes.cityscapes(argument, "res50"))
    config.name = "fig3_cityscapes_res50"
    return config
