"""The paper's Table 4: three DeepLabv3+ choose for three on ADE20K, by entropy.

    python -m salx.main --config=configs/table4_ade20k.py \
        --config.dataset.dir=DIR --workdir=W

Data: ADEChallengeData2016 from http://sceneparsing.csail.mit.edu (BSD-3, research):
DIR/images/{training,validation}/*.jpg and DIR/annotations/{training,validation}/*.png; or
--config.dataset.source=tfds.
Recipe: the paper's (64 epochs, batch 16, SGD, weight decay 4e-4); rate 0.01, poly, crops of 512
and scales 0.5 to 2 are public recipes', which the paper leaves out. Ten cycles to 4,042 of 20,210
images, three seeds; from ImageNet weights of the Hugging Face hub, fetched once.
Cost: 117 trainings, 1.2 million steps of 16 crops of 512x512. Not run here. `--plan=N
--step_seconds=res18=...,...` shares it out over N workers and tells their hours, `--worker=I/N`
is one of them.
Expect, in the paper: 10 to 11 % mIoU for ResNet-18, 30 to 31 % for the others, and no gain: -0.1
over random in the mean of the 6 pairs off the diagonal.
Word `small`, as `table4_ade20k.py:small`: 1 seed; 3 cycles to 75 % of the pool; 8 steps of 4
images of 96x128 at rate 0.01; scores and evaluation at 96x128 in batches of 4; no pretrained
weights; no worker processes. It takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.ade20k(argument, "res18", "res50", "xc65")
    config.name = "table4_ade20k"
    return config
