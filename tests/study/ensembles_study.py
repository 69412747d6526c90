"""Two tiny networks and three ensembles of them, which choose by votes and by mean entropy."""

from salx.study.config import base

NETWORK = "tests.outside.models:TwoLayers"  # it compiles in no time


def get_config():
    config = base()
    config.name = "ensembles"
    config.models.a = {"name": NETWORK, "width": 6}
    config.models.b = {"name": NETWORK, "width": 8}
    config.ensembles.pair = {"members": ("a", "b")}
    config.ensembles.twins = {"model": "a", "weight_seeds": 2}
    config.ensembles.line = {"model": "a", "generations": 2}
    config.surrogates = ("pair", "twins", "line")
    config.deployments = ("a",)
    config.policies = ("votes",)
    config.options.votes = {"name": "tests.outside.policies:Votes"}
    config.cycles, config.seeds, config.budget = 3, 1, 0.06
    config.train.update(batch=8, steps=6, log_every=3, learning_rate=0.02)
    config.score.batch, config.evaluate.batch = 256, 120
    config.telemetry.progress = False
    return config
