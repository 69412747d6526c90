"""DeepLabv3+ over ResNet-20 on synthetic street scenes, chosen by entropy against random.

    python -m salx.main --config=configs/scenes_res20.py --workdir=W

Data: synthetic street scenes, drawn by numpy on the way; nothing to fetch.
Recipe: ours, 1,000 steps of 8 images of 128x256 from scratch; ten cycles to 400 of 2,000 frames,
three seeds. Frames of one drive are near-duplicates, as a fleet's are.
Cost: 33 trainings of 1,000 steps. Not run here in full. `scenes_res20.py:small` (64x128, 3
cycles, 8 steps) takes minutes on 2 cores and says nothing about mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.scenes(argument, "res20")
    config.name = "scenes_res20"
    return config
