import gc
import itertools
import weakref
from dataclasses import replace

import jax
import numpy as np
import optax
import pytest

from salx import policies, tasks
from salx.data import datasets
from salx.infra import mesh, multihost
from salx.infra.checkpoint import Checkpoints, digest
from salx.infra.errors import RunError, Stopped
from salx.models import model as networks
from salx.models.loss_prediction import auxiliary_loss
from salx.training import loop
from salx.training.loop import Trainer, Watcher
from salx.training.metrics import FirstFailure, empty_metrics
from salx.training.optimizer import SCHEDULES, apply_updates, learning_rate, optimizer
from salx.training.step import Trained
from tests import builders, pixels

RECIPE = builders.recipe(
    steps=11, schedule="cosine", warmup=0.2, weight_decay=1e-2, log_every=3, save_every=4
)


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


@pytest.fixture(scope="module")
def model(digits):
    return networks.build("m", {"name": "cifar_resnet8", "width": 4}, digits)


def batch_of(digits, ids):
    examples = [digits.pool[i] for i in ids]
    return {
        "image": np.stack([example["image"] for example in examples]),
        "label": np.array([example["label"] for example in examples], np.int32),
        "id": np.array(ids, np.int32),
    }


def test_steps_of_a_training():
    assert RECIPE.total_steps(1000) == 11
    by_epochs = replace(RECIPE, steps=0, epochs=90.0, batch=256)
    assert by_epochs.total_steps(256_233) == round(90 * 256_233 / 256)
    assert replace(by_epochs, epochs=0.001).total_steps(5) == 1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_learning_rates_against_numpy(schedule):
    exact = {
        "constant": lambda t: 1.0,
        "cosine": lambda t: (1 + np.cos(np.pi * t)) / 2,
        "poly": lambda t: (1 - t) ** 0.9,
        "thirds": lambda t: 0.1 ** int(3 * t),
    }[schedule]
    recipe = replace(RECIPE, schedule=schedule, learning_rate=0.3, warmup=0.1)
    for step in range(50):
        rate = learning_rate(recipe, np.int32(step), np.int32(50))
        expected = 0.3 * min(1, (step + 1) / 5) * exact(step / 50)
        np.testing.assert_allclose(rate, expected, rtol=1e-5)


def test_one_step_is_momentum_sgd_with_decay_of_kernels_alone(digits, model):
    what, trainer = Trained(model, RECIPE, tasks.get("classification")), Trainer()
    state = trainer.initial(what)(3, 11)
    before = jax.device_get(state)
    batch = batch_of(digits, range(8))

    def loss(params):
        variables = {"params": params, "batch_stats": before.batch_stats}
        (logits, _), moved = networks.forward(model, variables, batch["image"], batch_stats=True)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch["label"])
        return losses.mean(), moved["batch_stats"]

    (value, stats), grads = jax.jit(jax.value_and_grad(loss, has_aux=True))(before.params)
    rate = 0.05 * min(1, 1 / (0.2 * 11))

    def moved(path, p, g):
        decayed = g + 1e-2 * p if path[-1].key == "kernel" else g
        return p - rate * decayed  # momentum begins at zero

    expected = jax.tree_util.tree_map_with_path(moved, before.params, grads)
    state, metrics = trainer.step(what)(state, empty_metrics(), mesh.put(batch))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)  # noqa: E731
    jax.tree.map(close, state.params, expected)
    jax.tree.map(close, state.batch_stats, stats)
    computed = loop.checked(metrics, digits.pool)
    np.testing.assert_allclose(computed["loss"], value, rtol=1e-5)
    np.testing.assert_allclose(computed["learning_rate"], rate, rtol=1e-6)
    assert int(state.step) == 1


def test_adamw_against_numpy():
    """Three steps: m and v with their corrections, and a decay outside of both, of kernels."""
    rng, rates = np.random.default_rng(0), (0.1, 0.05, 0.2)
    recipe = replace(
        RECIPE, optimizer="adamw", beta1=0.8, beta2=0.95, epsilon=1e-3, weight_decay=0.3
    )
    params = {"kernel": rng.normal(size=(3, 4)), "bias": rng.normal(size=4)}
    gradients = [jax.tree.map(lambda p: rng.normal(size=p.shape), params) for _ in rates]
    optimise = optimizer(recipe)
    ours = jax.tree.map(np.float32, params)
    state = optimise.init(ours)
    for rate, g in zip(rates, gradients, strict=True):
        moved = apply_updates(optimise, np.float32(rate))(jax.tree.map(np.float32, g), ours, state)
        ours, state = moved["params"], moved["opt_state"]
    for name, decay in (("kernel", 0.3), ("bias", 0.0)):
        p, m, v = params[name], 0.0, 0.0
        for t, (rate, g) in enumerate(zip(rates, gradients, strict=True), 1):
            m, v = 0.8 * m + 0.2 * g[name], 0.95 * v + 0.05 * g[name] ** 2
            adam = (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-3)
            p = p - rate * (adam + decay * p)
        np.testing.assert_allclose(ours[name], p, rtol=2e-5)


def test_adamw_trains_through_the_same_step(digits, model, tmp_path):
    recipe = replace(RECIPE, optimizer="adamw", learning_rate=1e-2)
    watcher = Calls()
    state = fit(digits, model, tmp_path, recipe, watcher)
    losses = [metrics["loss"] for _, _, metrics in watcher.calls if metrics]
    assert losses[-1] < losses[0]
    assert digest(fit(digits, model, tmp_path, recipe)) == digest(state)


def test_a_trainer_frees_its_steps(digits, model):
    trainer = Trainer()
    step = weakref.ref(trainer.step(Trained(model, RECIPE, digits.task)))
    gc.collect()
    assert step() is not None
    del trainer
    gc.collect()
    assert step() is None


@pytest.mark.parametrize("policy", ["entropy", "learning_loss"])
def test_a_step_in_parts_is_one_momentum_step_of_the_summed_gradient(policy):
    """Parts with unlike numbers of labels that count, each normalised by itself."""
    squares, model = pixels.dataset(), pixels.model()
    squares.pool.labels[3::4] = 255
    head, count = policies.build(policy, {}).needs.head, 4
    recipe = replace(RECIPE, accumulate=count, weight_decay=0.0, warmup=0.0)
    what, trainer = Trained(model, recipe, squares.task, head), Trainer()
    state = trainer.initial(what)(3, 11)
    before, batch = jax.device_get(state), batch_of(squares, range(8))
    counted = batch["label"] != 255

    def share(params, head_params, stats, k):
        variables = {"params": params, "batch_stats": stats}
        image, label = batch["image"][k::count], batch["label"][k::count]
        (logits, out), moved = networks.forward(model, variables, image, batch_stats=True)
        losses = squares.task.losses(logits, label)
        loss = own = losses.sum() / counted.sum()
        if head:
            args = head, head_params, logits, out, True, losses, counted[k::count], 0.0
            loss += auxiliary_loss(*args) / count
        return loss, (own, moved["batch_stats"])

    grad = jax.jit(jax.grad(share, argnums=(0, 1), has_aux=True), static_argnums=3)
    stats, total, loss = before.batch_stats, None, 0.0
    for k in range(count):
        grads, (own, stats) = grad(before.params, before.head.get("params", {}), stats, k)
        total = grads if total is None else jax.tree.map(np.add, total, grads)
        loss += own
    after, metrics = trainer.step(what)(state, empty_metrics(), batch)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)  # noqa: E731
    down = lambda p, g: p - 0.05 * g  # noqa: E731
    jax.tree.map(close, after.params, jax.tree.map(down, before.params, total[0]))
    jax.tree.map(close, after.batch_stats, stats)
    if head:
        own = jax.tree.map(down, before.head["params"], total[1])
        jax.tree.map(close, after.head["params"], own)
    np.testing.assert_allclose(loop.checked(metrics, squares.pool)["loss"], loss, rtol=1e-5)


def test_equal_seeds_begin_with_equal_weights(model):
    begin = Trainer().initial(Trained(model, RECIPE, tasks.get("classification")))
    assert digest(begin(3, 11).params) == digest(begin(3, 99).params)
    assert digest(begin(3, 11).params) != digest(begin(4, 11).params)


class Calls(Watcher):
    """Notes where trainings start, and hands each logged step to a function."""

    def __init__(self, at_step=lambda step: None):
        self.at_step, self.calls = at_step, []

    def started(self, step, total):
        self.calls.append((step, total, None))

    def logged(self, step, metrics):
        self.calls.append((step, None, metrics))
        self.at_step(step)


TRAINER = Trainer()  # one for all, as in a study


def fit(digits, model, folder, recipe=RECIPE, watcher=None, size=30):
    what = Trained(model, recipe, digits.task)
    return builders.fit(what, digits, folder, watcher, size, TRAINER)


def test_a_stopped_training_has_saved_that_step_and_goes_on_to_the_same_state(
    digits, model, tmp_path, monkeypatch
):
    whole = fit(digits, model, tmp_path / "whole")

    def stop(step):
        if step == 6:
            monkeypatch.setattr(multihost, "stopping", lambda: True)

    with pytest.raises(Stopped):
        fit(digits, model, tmp_path / "stopped", watcher=Calls(stop))
    monkeypatch.undo()
    with Checkpoints(tmp_path / "stopped" / "checkpoint") as saved:
        assert saved.manager.latest_step() == 7
    assert digest(fit(digits, model, tmp_path / "stopped")) == digest(whole)


@pytest.mark.parametrize("at", [1, 3, 4, 5, 7, 10])
def test_what_is_logged_does_not_tell_of_sigterm(tmp_path, digits, model, monkeypatch, at):
    undisturbed, first, second = Calls(), Calls(), Calls()
    fit(digits, model, tmp_path / "undisturbed", watcher=undisturbed)
    steps = itertools.count(1)
    monkeypatch.setattr(multihost, "stopping", lambda: next(steps) == at)
    with pytest.raises(Stopped):
        fit(digits, model, tmp_path / "stopped", watcher=first)
    monkeypatch.undo()
    fit(digits, model, tmp_path / "stopped", watcher=second)
    assert second.calls[0] == (at, 11, None)
    assert [*first.calls, *second.calls[1:]] == undisturbed.calls


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", [3, 4, 6, 8, 9, 11])
def test_a_training_goes_on_after_an_interruption(tmp_path, digits, model, at):
    def kill(step):
        if step >= at:
            raise Killed

    undisturbed = fit(digits, model, tmp_path / "undisturbed")
    with pytest.raises(Killed):
        fit(digits, model, tmp_path / "killed", watcher=Calls(kill))
    watcher = Calls()
    resumed = fit(digits, model, tmp_path / "killed", watcher=watcher)
    assert digest(resumed) == digest(undisturbed)
    assert watcher.calls[0] == ({3: 0, 4: 0, 6: 4, 8: 4, 9: 8, 11: 8}[at], 11, None)


def test_workers_and_threads_change_no_weight(tmp_path, digits, model):
    crop = {"train": "pad_crop", "pad": 1, "flip": True, "jitter": 0.2}
    changed = datasets.load({"name": "digits"}, crop)
    alone = fit(changed, model, tmp_path / "alone")
    for threads, workers in ((3, 0), (0, 2)):
        recipe = replace(RECIPE, threads=threads, workers=workers)
        helped = fit(changed, model, tmp_path / f"{threads}{workers}", recipe)
        assert digest(helped) == digest(alone)
    assert digest(fit(digits, model, tmp_path / "plain")) != digest(alone)


def test_a_finished_training_is_read_not_repeated(tmp_path, digits, model):
    first = fit(digits, model, tmp_path)
    watcher = Calls()
    again = fit(digits, model, tmp_path, watcher=watcher)
    assert watcher.calls == [(11, 11, None)]
    assert digest(again) == digest(first)


def test_one_compilation_for_trainings_of_all_lengths(tmp_path, digits, model):
    recipe = replace(RECIPE, steps=0, epochs=1.0, momentum=0.8)
    mesh.traces.clear()
    for size in (16, 24, 57):
        fit(digits, model, tmp_path / str(size), recipe, size=size)
    assert mesh.traces["train m"] == 1


def test_a_loss_that_is_not_finite_names_step_and_example(tmp_path, digits, model):
    recipe = replace(RECIPE, learning_rate=1e30, warmup=0.0, save_every=1)
    with pytest.raises(
        RunError, match=r"step \d+: the loss of example 'digit_\d{4}' is not finite"
    ):
        fit(digits, model, tmp_path, recipe)
    # What was saved before is sound.
    saved = sorted(int(path.name) for path in (tmp_path / "checkpoint").iterdir() if path.is_dir())
    assert all(step < 11 for step in saved)


def test_the_first_failure_is_kept():
    def seen(losses, ids, step):
        return FirstFailure.from_model_output(
            losses=np.array(losses), ids=np.array(ids), step=np.int32(step)
        )

    sound, failed, later = (
        seen([1.0, 2.0], [8, 9], 0),
        seen([1.0, np.nan], [4, 5], 1),
        seen([[np.inf, 0.0], [1.0, 2.0]], [[6, 7], [2, 3]], 2),
    )
    merged = FirstFailure.empty()
    for part in (sound, failed, later):
        merged = merged.merge(part)
    assert merged.compute().tolist() == [1, 5]
    assert later.compute().tolist() == [2, 6]
    assert FirstFailure.empty().merge(sound).compute().tolist() == [-1, -1]
