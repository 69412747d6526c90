"""The smallest study that has all kinds of files: one network, one seed, two cycles."""

from salx.study.config import base


def get_config():
    config = base()
    config.name = "tiny"
    config.models.a = {"name": "cifar_resnet8", "width": 4}
    config.surrogates = ("a",)
    config.deployments = ("a",)
    config.cycles = 2
    config.seeds = 1
    config.budget = 0.04
    config.train.batch = 8
    config.train.steps = 4
    config.train.log_every = 2
    config.train.save_every = 2
    config.train.learning_rate = 0.02
    config.score.batch = 256
    config.evaluate.batch = 120
    config.telemetry.progress = False
    return config
