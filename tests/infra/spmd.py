"""What test_mesh.py looks at: every step of every network, from shapes alone, and a process
that has several devices. Run as `python -m tests.infra.spmd compiled NAME`, or `trained`.
"""

import json
import re
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from salx import policies, tasks
from salx.data import datasets
from salx.models import model as networks
from salx.models import winograd, zoo
from salx.models.model import Model
from salx.scoring import stages
from salx.scoring.engine import Question, Scorer
from salx.scoring.stages import NotLabelled, Round
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing
from salx.tasks import Task
from salx.training.evaluation import Evaluator
from salx.training.loop import Trainer
from salx.training.metrics import Metrics, empty_metrics
from salx.training.recipe import Recipe
from salx.training.step import Trained
from tests import builders
from tests.outside.models import Masks, SmallConv, TwoLayers
from tests.outside.policies import Disagreement, ShownMasks

BATCH, CLASSES, STEPS = 8, 5, 50
RECIPE = builders.recipe(
    batch=BATCH, steps=STEPS, schedule="cosine", warmup=0.1, weight_decay=1e-4, log_every=1
)
PARTS = replace(RECIPE, accumulate=2)
HEAD = policies.build("learning_loss", {}).needs.head
SCORERS = ("entropy", "core_set", "learning_loss", "true_loss")


def network(name: str, side: int = 0) -> Model:
    """A model of ZOO for small images."""
    side = side or (16 if name.startswith("cifar_") else 64)
    module = zoo.get(name)(classes=CLASSES)
    return Model(name, module, (side, side, 3), (0.5,) * 3, (0.25,) * 3)


def batch_of(model: Model, size: int = BATCH) -> dict:
    """Shapes of a batch, as scoring, training and evaluation have it."""
    height, width, _ = model.image_shape
    pixels = model.label.startswith("deeplab_")
    shape = jax.ShapeDtypeStruct
    return {
        "image": shape((size, *model.image_shape), jnp.uint8),
        "label": shape((size, height, width), jnp.uint8) if pixels else shape((size,), jnp.int32),
        "size": shape((size, 2), jnp.int32),
        "id": shape((size,), jnp.int32),
        "mask": shape((size,), bool),
    }


def task_of(model: Model) -> Task:
    """What a model of the zoo is for."""
    return tasks.get("segmentation" if model.label.startswith("deeplab_") else "classification")


def training(model: Model, recipe: Recipe, head=None, size: int = BATCH):
    """A train step and shapes of what it takes."""
    what, trainer = Trained(model, recipe, task_of(model), head), Trainer()
    state = jax.eval_shape(trainer.initial(what), 0, STEPS)
    metrics = jax.eval_shape(Metrics.empty)
    fields = ("image", "label", "id")
    batch = {name: shape for name, shape in batch_of(model, size).items() if name in fields}
    return trainer.step(what), (state, metrics, batch)


def everything(model: Model) -> dict:
    """All jitted functions of a model, with shapes of what each takes."""
    found = {
        "train": training(model, RECIPE),
        "train in parts": training(model, PARTS),
        "train with head": training(model, RECIPE, HEAD),
    }
    variables = found["train with head"][1][0].variables
    own = {name: variables[name] for name in ("params", "batch_stats")}
    batch, seed = batch_of(model), jax.ShapeDtypeStruct((), jnp.int32)
    found["evaluate"] = Evaluator().step(model, task_of(model)), (own, batch)
    for name in SCORERS:
        policy = policies.build(name, {})
        head = policy.needs.head
        arrays = variables if head else own
        score = Scorer().step(Question(surrogate(model, arrays, task_of(model), head), policy))
        found[f"score {name}"] = score, (arrays, seed, batch)
    return found


def surrogate(model: Model, arrays, task: Task, head=None) -> Network:
    """The model as a surrogate, with the module that was trained along."""
    view = Preprocessing(model.image_shape, model.mean, model.std)
    return Network(model, arrays, task, (), view, {}, head)


def collectives(text: str) -> list[tuple[str, list[list[int]]]]:
    """Each collective of a compiled module, with the shapes of its results."""
    kinds = "all-gather|all-reduce|all-to-all|collective-[a-z]+|reduce-scatter|ragged-all-to-all"
    found = re.findall(rf"= (.+?) ({kinds})(?:-start)?\(", text)

    return [
        (kind, [json.loads(f"[{shape}]") for shape in re.findall(r"[a-z]\d*\[([\d,]*)\]", types)])
        for types, kind in found
    ]


def compiled(name: str) -> dict:
    """The collectives of all steps of a network, how many parameters and statistics it has, and
    how many numbers more than its gradient Winograd's algorithm, on CPUs alone, has to sum: of
    each kernel 16 before they are transformed back to 9."""
    model, found, more = network(name), {}, {}
    by_kernel = winograd.by_kernel

    def watched(x, y, padding):
        more[what] += 7 * x.shape[-1] * y.shape[-1]
        return by_kernel(x, y, padding)

    winograd.by_kernel = watched
    for what, (function, shapes) in everything(model).items():
        more[what] = 0
        text = function.lower(*shapes).compile().as_text()
        found[what] = collectives(text)
    state = training(model, RECIPE)[1][0]
    sizes = (state.params, state.batch_stats)
    sizes = [sum(x.size for x in jax.tree.leaves(y)) for y in sizes]
    return {"found": found, "sizes": sizes, "more": more}


def curve(model: Model, digits, recipe: Recipe) -> list[float]:
    """The loss at each step from the same weights, with the same batches of 32."""
    what, trainer = Trained(model, recipe, digits.task), Trainer()
    state, step = trainer.initial(what)(0, STEPS), trainer.step(what)
    losses = []
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        ids = rng.permutation(len(digits.pool))[:32].astype(np.int32)
        batch = {"image": digits.pool.images[ids], "label": digits.pool.labels[ids], "id": ids}
        state, metrics = step(state, empty_metrics(), batch)
        losses.append(float(metrics.compute()["loss"]))
    return losses


def picked(model: Model, digits) -> dict[str, list[int]]:
    """What each policy chooses with fresh weights, some of the pool being labelled."""
    state = Trainer().initial(Trained(model, RECIPE, digits.task, HEAD))(1, STEPS)
    variables, found, have = jax.device_get(state.variables), {}, np.arange(60)
    candidates = stages.filtered(len(digits.pool), [NotLabelled(have)])
    for name in ("random", *SCORERS):
        policy = policies.build(name, {})
        who = surrogate(model, variables, digits.task, policy.needs.head)

        def score(ids, policy=policy, who=who):
            return builders.scores(who, policy, digits, ids, 256)

        turn = Round(policy, digits.pool, have)
        found[name] = stages.choose(turn, candidates, 60, score).ids.tolist()
    return found


def passes(digits) -> dict[str, list]:
    """What five dropout passes give: the masks themselves, and scores through them."""
    ids = np.arange(100, 140)
    shape = digits.image_shape, digits.mean, digits.std
    net, masks = Model("net", TwoLayers(10), *shape), Model("masks", Masks(10), *shape)
    variables = jax.jit(lambda: networks.init(net, jax.random.key(0)))()
    found = {}
    for policy, model, arrays in (
        (Disagreement(), net, jax.device_get(variables)),
        (ShownMasks(), masks, {"params": {}, "batch_stats": {}}),
    ):
        who = surrogate(model, arrays, digits.task)
        found[policy.name] = builders.scores(who, policy, digits, ids, 16).tolist()
    return found


def trained() -> dict:
    """Memory of a step, losses and picks on this process's devices."""
    digits = datasets.load({"name": "digits"})
    shape = digits.image_shape, digits.mean, digits.std
    model, memory = Model("m", SmallConv(10), *shape), {}
    for what, recipe in (("whole", RECIPE), ("parts", PARTS)):
        large = Model("large", SmallConv(CLASSES), (32, 32, 3), (0.5,) * 3, (0.25,) * 3)
        step, shapes = training(large, recipe, size=256)
        large = step.lower(*shapes).compile()
        memory[what] = large.memory_analysis().temp_size_in_bytes
    placed = large.input_shardings[0][2]["image"]
    return {
        "devices": jax.device_count(),
        "batch": placed.shard_shape(shapes[2]["image"].shape)[0],
        "memory": memory,
        "whole": curve(model, digits, RECIPE),
        "parts": curve(model, digits, PARTS),
        "picks": picked(model, digits),
        "passes": passes(digits),
    }


if __name__ == "__main__":
    what, *names = sys.argv[1:]
    print(json.dumps({"compiled": compiled, "trained": trained}[what](*names)))
