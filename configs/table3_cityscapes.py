"""The paper's Table 3: five DeepLabv3+ choose for five on Cityscapes, by entropy.

    python -m salx.main --config=configs/table3_cityscapes.py \
        --config.dataset.dir=DIR --workdir=W

Data: leftImg8bit and gtFine from https://www.cityscapes-dataset.com (registration,
non-commercial): DIR/leftImg8bit/{train,val}/<city>/ and DIR/gtFine/{train,val}/<city>/ with
*_labelIds.png; or --config.dataset.source=tfds.
Recipe: the paper's (220 epochs, batch 4, 6 for Xception-65, SGD, weight decay 4e-4); rate 0.01,
poly, crops of 768 and scales 0.5 to 2 are public recipes', which the paper leaves out. Ten cycles
to 595 of 2,975 images, three seeds. From ImageNet weights of the Hugging Face hub, fetched once,
but for ResNet-20, of which no public ones are known.
Cost: 225 trainings, 4.8 million steps at 768x768. Not run here.
`--plan=N --step_seconds=res18=...,...` shares it out over N workers and tells their hours,
`--worker=I/N` is one of them: on N machines, or `sbatch --array=0-14 launch/slurm.sbatch`.
Expect, in the paper: 55 to 76 % mIoU, +2.2 over random in the mean of the 20 pairs off the
diagonal; the report sets every cell beside the paper's. ResNet-18's 55 to 58 % are oddly low.
Word `small`, as `table3_cityscapes.py:small`: 1 seed; 3 cycles to 75 % of the pool; 8 steps of 4
images of 128x256 at rate 0.01; scores and evaluation at 128x256 in batches of 4; no pretrained
weights; no worker processes. It takes tens of minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.cityscapes(argument, "res20", "mnv3", "res18", "res50", "xc65")
    config.name = "table3_cityscapes"
    return config
