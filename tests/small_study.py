"""The study of the tests: two tiny networks, three cycles, two seeds, on real digits."""

from salx.study.config import base


def get_config():
    config = base()
    config.name = "small"
    config.models.a = {"name": "cifar_resnet8", "width": 4}
    config.models.b = {"name": "cifar_resnet8", "width": 6}
    config.surrogates = ("a", "b")
    config.deployments = ("a", "b")
    config.cycles = 3
    config.seeds = 2
    config.budget = 0.06
    config.train.batch = 8
    config.train.steps = 12
    config.train.log_every = 4
    config.train.save_every = 5
    config.train.learning_rate = 0.02
    config.score.batch = 256
    config.evaluate.batch = 120
    return config
