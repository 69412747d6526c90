"""The paper's Figure 3 on Cityscapes: five policies after each of ten cycles.

    python -m salx.main --config=configs/fig3_cityscapes.py:res18 \
        --config.dataset.dir=DIR --workdir=W

Words: the backbone, one of res18 (ResNet-18), res50 (ResNet-50) and xc65 (Xception-65); after it
`small`, as `:res18,small`, if wanted.
Data: leftImg8bit and gtFine from https://www.cityscapes-dataset.com (registration,
non-commercial): DIR/leftImg8bit/{train,val}/<city>/ and DIR/gtFine/{train,val}/<city>/ with
*_labelIds.png; or --config.dataset.source=tfds.
Recipe: the paper's (220 epochs, batch 4, or 6 for Xception-65, SGD, weight decay 4e-4); rate 0.01,
poly, crops of 768 and scales 0.5 to 2 are public recipes', which the paper leaves out. DeepLabv3+
chooses for itself by entropy, learning loss, Core-Set, true loss (an oracle) and at random; its
potential is trained on the whole pool. Three seeds. From ImageNet weights of the Hugging Face hub,
fetched once.
Cost: 168 trainings, 3.6 million steps (Xception-65: 2.4 million) at 768x768. Not run here.
`--plan=N --step_seconds=res18=...` shares it out over N workers, `--worker=I/N` is one of them.
Expect, in the paper, with 20 % of the pool: 76 to 82 % of the potential for ResNet-18, 91 to 93 %
for ResNet-50, and for Xception-65 91 to 93 % of 79.9 % mIoU.
Word `small`: 1 seed; 3 cycles to 75 % of the pool; 8 steps of 4 images of 128x256 at rate 0.01;
scores and evaluation at 128x256 in batches of 4; no pretrained weights; no worker processes. It
takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res18", "res50", "xc65")
    config = recipes.curves(recipes.cityscapes(small, label))
    config.name = f"fig3_cityscapes_{label}"
    return config
