"""What the engine costs beside the arithmetic, as ratios within one process.

    python -m benchmarks.engine [--quick]

1. The scoring pass as a fraction of the bare jitted forward pass, for each model of the
   quickstart (to reach: 0.95 at a batch that fills the cores).
2. Compilations in a whole study (one train step, evaluation and scorer for each model).
3. The share of the quickstart's wall time outside jitted steps and compilation (to reach:
   under 25 %). Steps are waited for one by one here, so what normally overlaps them counts
   as outside. `--quick` takes one seed and three cycles.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import logging
from rich.console import Console
from rich.table import Table

from configs import quickstart
from salx import policies, report
from salx.infra import mesh
from salx.models import model as networks
from salx.scoring.engine import Question, Reading, Scorer
from salx.study import config as configs
from salx.study.config import StudyConfig, Telemetry
from salx.study.context import StudyContext
from salx.study.study import Study
from salx.surrogates.network import Network
from salx.surrogates.surrogate import Preprocessing
from salx.training.step import Trained, make_initial

START = time.perf_counter() - time.process_time()  # imports took this process's first seconds

BATCH = 512
ROUNDS = 7


def main() -> None:
    """Run the study, then time scoring, and print the three tables."""
    logging.set_verbosity(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    config = configs.resolve(quickstart.get_config())
    config = replace(config, telemetry=Telemetry(progress=False))
    if parser.parse_args().quick:
        config = replace(config, seeds=1, cycles=3, budget=0.06, deploy_cycles=())
    print(f"{platform.machine()}, {os.cpu_count()} cores, jax {jax.__version__}, {jax.devices()}")
    accounted = study_accounts(config)
    print_scoring(config)
    print_study(config, *accounted)


def untrained(study: StudyContext, label: str) -> Network:
    """Give a model of the study, with initial weights, as a surrogate."""
    model, dataset = study.models[label], study.dataset
    fresh = make_initial(Trained(model, study.config.recipe(label), dataset.task))(0, 1)
    return Network(
        model=model,
        arrays=fresh.variables,
        task=dataset.task,
        classes=dataset.classes,
        preprocessing=Preprocessing(dataset.image_shape, dataset.mean, dataset.std),
        origin={},
    )


def bare_forward(surrogate: Network, images: np.ndarray) -> Callable[[], None]:
    """Give a call that runs a jitted forward pass over images that lie on the device."""
    forward = jax.jit(lambda v, x: networks.forward(surrogate.model, v, x)[0][0])
    batches = [jnp.asarray(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]

    def call() -> None:
        jax.block_until_ready([forward(surrogate.variables, batch) for batch in batches])

    return call


def scoring_pass(study: StudyContext, surrogate: Network, ids: np.ndarray) -> Callable[[], None]:
    """Give a call that runs the scoring pass over the same images, from the pool to scores."""
    scorer, question = Scorer(), Question(surrogate, policies.build("entropy"))

    def call() -> None:
        scorer.score(question, study.dataset, ids, Reading(BATCH))

    return call


def fraction(bare: Callable[[], None], whole: Callable[[], None]) -> tuple[float, float]:
    """Time two calls in turns: the median over rounds of bare / whole, and the bare seconds."""
    bare(), whole()
    ratios, seconds = [], []
    for _ in range(ROUNDS):
        times = []
        for call in (bare, whole):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        ratios.append(times[0] / times[1])
        seconds.append(times[0])
    return statistics.median(ratios), statistics.median(seconds)


def print_scoring(config: StudyConfig) -> None:
    """Print scoring over the bare forward pass, for each model."""
    with tempfile.TemporaryDirectory() as folder:
        study = StudyContext(config, folder)
    pool = study.dataset.pool
    ids = np.resize(np.arange(len(pool)), 8 * BATCH)
    images = np.stack([pool[i]["image"] for i in ids])
    table = Table("model", "bare images/s", "scoring / bare", title=f"scoring, batch {BATCH}")
    for label in sorted(config.models):
        surrogate = untrained(study, label)
        ratio, seconds = fraction(
            bare_forward(surrogate, images), scoring_pass(study, surrogate, ids)
        )
        table.add_row(label, f"{len(ids) / seconds:,.0f}", f"{ratio:.3f}")
    Console().print(table)


class Accounts:
    """Seconds inside jitted steps and in compilation, gathered while a study runs."""

    def __init__(self):
        self.inside = self.compiling = 0.0
        self.calls = 0
        self.jit = mesh.jit
        jax.monitoring.register_event_duration_secs_listener(self.heard)

    def heard(self, event: str, seconds: float, **_: object) -> None:
        """Add what jax says that a compilation took."""
        if event.startswith("/jax/core/compile/"):  # tracing, lowering and XLA
            self.compiling += seconds

    def timed(self, *args: Any, **options: Any) -> Callable[..., Any]:
        """Stand in for `mesh.jit`, and time each call of what it gives."""
        jitted = self.jit(*args, **options)

        def call(*arguments):
            before, began = self.compiling, time.perf_counter()
            result = jax.block_until_ready(jitted(*arguments))
            self.inside += time.perf_counter() - began - (self.compiling - before)
            self.calls += 1
            return result

        call.eval_shape = jitted.eval_shape
        return call


def study_accounts(config: StudyConfig) -> tuple[Accounts, float, dict[str, int]]:
    """Run the study and its report.

    Returns:
      The accounts, all seconds since this program's start, and the traces.
    """
    accounts = Accounts()
    mesh.jit = accounts.timed
    with tempfile.TemporaryDirectory() as folder:
        Study(config, folder).run()
        report.write(Path(folder))
    wall = time.perf_counter() - START
    mesh.jit = accounts.jit
    return accounts, wall, dict(mesh.traces)


def print_study(
    config: StudyConfig, accounts: Accounts, wall: float, traces: dict[str, int]
) -> None:
    """Print the compilations, and where the seconds of the study went."""
    table = Table("step", "compilations", title="one study")
    for name, count in sorted(traces.items()):
        table.add_row(name, str(count))
    Console().print(table)
    outside = wall - accounts.inside - accounts.compiling
    table = Table("part", "seconds", "share", title=f"{config.name}, {accounts.calls} steps")
    parts = {"jitted steps": accounts.inside, "compilation": accounts.compiling}
    for name, seconds in {**parts, "outside both": outside, "wall": wall}.items():
        table.add_row(name, f"{seconds:.1f}", f"{seconds / wall:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
