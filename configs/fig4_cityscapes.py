"""The paper's Figure 4: entropies of the unseen Cityscapes images after a random tenth.

    python -m salx.main --config=configs/fig4_cityscapes.py \
        --config.dataset.dir=DIR --workdir=W

Data: leftImg8bit and gtFine from https://www.cityscapes-dataset.com (registration,
non-commercial): DIR/leftImg8bit/{train,val}/<city>/ and DIR/gtFine/{train,val}/<city>/ with
*_labelIds.png; or --config.dataset.source=tfds.
Recipe: the paper's five DeepLabv3+ (220 epochs, batch 4, 6 for Xception-65, SGD, weight decay
4e-4; rate 0.01, poly, crops of 768 and scales 0.5 to 2 are public recipes') are trained on the
same random tenth, 298 of 2,975 images (the paper has 297, printed as 275), and score the other
2,677; their scores stay in W/selections/*.entropy.s*/scores_01.npz. Three seeds.
Cost: 15 trainings, 16,390 steps each (Xception-65: 10,927) at 768x768. Not run here.
Expect, in the paper: entropies of MobileNetV3 1.9 times as high as of Xception-65 in the mean;
wider histograms for smaller networks.
Word `small`, as `fig4_cityscapes.py:small`: 1 seed; 2 cycles to 75 % of the pool; 8 steps of 4
images of 128x256 at rate 0.01; scores and evaluation at 128x256 in batches of 4; no pretrained
weights; no worker processes. It takes minutes on 2 cores and says nothing about entropies.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.histograms(
        recipes.cityscapes(argument, "res20", "mnv3", "res18", "res50", "xc65")
    )
    config.name = "fig4_cityscapes"
    return config
