"""DeepLabv3+ on synthetic street scenes, chosen by entropy against random.

    python -m salx.main --config=configs/scenes.py:res20 --workdir=W

Words: the backbone, one of res20 (ResNet-20) and mnv3 (MobileNetV3-Small); after it `small`, as
`:res20,small`, if wanted.
Data: synthetic street scenes, drawn by numpy on the way; nothing to fetch.
Recipe: ours, 1,000 steps of 8 images of 128x256 from scratch; ten cycles to 400 of 2,000 frames,
three seeds. Frames of one drive are near-duplicates, as a fleet's are.
Cost: 33 trainings of 1,000 steps. Not run here in full.
Word `small`: 120 frames for the pool and 20 for validation, of 64x128; 1 seed; 3 cycles to 30 %
of the pool; 8 steps of 4 images at rate 0.01; batches of 4 for scores and evaluation; no worker
processes. It takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    label, small = recipes.words(argument, "res20", "mnv3")
    config = recipes.scenes(small, label)
    config.name = f"scenes_{label}"
    return config
