"""A study of one cycle on a folder of images with masks: masks_study.py:FOLDER."""

from salx.study.config import base


def get_config(folder):
    config = base()
    config.name = "masks"
    config.dataset = {
        "name": "folder",
        "dir": str(folder),
        "task": "segmentation",
        "classes": ("a", "b", "c"),
    }
    config.models = {"m": {"name": "tests.pixels:Net"}}
    config.surrogates = config.deployments = ("m",)
    config.update({"seeds": 1, "cycles": 1, "budget": 0.5})
    config.train.update(batch=2, steps=2, learning_rate=0.01, log_every=1)
    config.score.batch = config.evaluate.batch = 2
    config.telemetry.progress = False
    return config
