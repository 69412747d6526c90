"""A study whose policies, model, task and data set all come from outside the package."""

from salx.study.config import base

HERE = "tests.outside"


def get_config(argument=""):
    """`installed`: by the names of entry points; else as module:Name."""
    config = base()
    config.name = "outside"
    named = argument == "installed"
    config.dataset = {
        "name": "counts" if named else f"{HERE}.counting:load",
        "pool": 120,
        "val": 30,
    }
    network = "two_layers" if named else f"{HERE}.models:TwoLayers"
    config.models.a = {"name": network, "width": 8}
    config.models.b = {"name": network, "width": 12}
    config.surrogates, config.deployments = ("a",), ("b",)
    config.policies = ("few", "unsure")
    if not named:
        config.options.few = {"name": f"{HERE}.policies:Few"}
    config.options.unsure = {"name": f"{HERE}.policies:Disagreement", "passes": 3}
    config.cycles, config.seeds, config.budget = 3, 1, 0.5
    config.train.update(batch=8, steps=6, learning_rate=0.01, log_every=3)
    config.score.batch = config.evaluate.batch = 32
    config.telemetry.progress = False
    return config
