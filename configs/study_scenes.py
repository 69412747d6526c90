"""Three DeepLabv3+ choose for three on synthetic street scenes, and a fleet hands its choice on.

    python -m salx.main --config=configs/study_scenes.py --workdir=W

Data: synthetic street scenes, drawn by numpy on the way; nothing to fetch.
Recipe: ours, 1,000 steps of 8 images of 128x256 from scratch; ten cycles to 400 of 2,000 frames,
three seeds, by entropy and at random. Frames of one drive are near-duplicates, as a fleet's are.
In the lineage ResNet-20 chooses cycles 0 to 3, MobileNetV3 goes on to 6, ResNet-18 to 9.
Potentials: 1,000 steps on the whole pool.
Cost: 204 trainings of 1,000 steps. Not run here in full.
Expect: no figures yet.
Word `small`, as `study_scenes.py:small`: 120 frames for the pool and 20 for validation, of
64x128; 1 seed; 3 cycles to 30 % of the pool; 8 steps of 4 images at rate 0.01; batches of 4 for
scores and evaluation; no worker processes. It takes minutes on 2 cores and says nothing about
mIoU.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.scenes(argument, "res20", "mnv3", "res18")
    config.name = "study_scenes"
    recipes.generations(config, "res20", "mnv3", "res18")
    return config
