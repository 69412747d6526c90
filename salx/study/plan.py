"""What a study would do, as text: its runs, what they share, and what they take, worker by
worker. Counts are exact; hours and bytes are estimates."""

import functools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from salx import records
from salx.infra import sealed
from salx.models import model as networks
from salx.models.model import Model
from salx.study import grid, partition, study
from salx.study.grid import Grid
from salx.study.partition import Cost, CostModel
from salx.study.training_run import Setting

# Bytes of an example's id and score in scores_CC.npz, and about those of a pick's line.
SCORE, PICK = 12, 120
NOTES = """\
Images are those of training steps, and those scored or evaluated, which are reckoned at a third
of a training's. Hours are device-hours: of training, scoring and evaluation, without k-center.
Shares are of the multiply-accumulates of the whole grid, and do not depend on measured times."""


def text(config: dict[str, Any], workdir: Path, workers: int, given: Mapping[str, float]) -> str:
    """The plan for so many workers. `given` holds seconds of one device for a training step,
    by model; of other models they are taken from finished runs in the work folder.

    Raises InputError for what a study refuses. Needs the data, but no weights and no accelerator.
    """
    jax.config.update("jax_platforms", "cpu")  # the accelerators may be busy
    blank = {
        label: {name: value for name, value in options.items() if name != "pretrained"}
        for label, options in config["models"].items()
    }
    setting = study.check({**config, "models": blank}, workdir)
    scale, work = study.scale(setting), grid.grid(config)
    seconds = {**measured(workdir, work), **given}
    left = remaining(setting, work)
    parts = [summary(setting, work, left), by_model(setting, scale, left, seconds)]
    if workers > 1:
        split = partition.split(
            config, work, workers, functools.partial(partition.operations, scale)
        )
        parts.append(by_worker(scale, work, left, split, seconds))
    return "\n\n".join([*parts, NOTES])


def summary(setting: Setting, work: Grid, left: Grid) -> str:
    """What the study is, its runs, and how many more there would be if none were shared."""
    config, dataset = setting.config, setting.dataset
    choosing, measuring = grid.needs(config)
    wanted, count = len(choosing) + len(measuring), len(work.trainings)
    budgets = records.budgets(len(dataset.pool), config["budget"], config["cycles"])
    lines = [
        f"{config['name']}: {dataset.name}, a pool of {len(dataset.pool):,}, labelled "
        f"{', '.join(f'{budget:,}' for budget in budgets)}; seeds: {config['seeds']}",
        f"selections  {len(work.selections):,}, {len(left.selections):,} to do",
        f"trainings   {count:,}, {len(left.trainings):,} to do: {len(work.surrogates):,} to "
        f"choose by, {len(work.deployments):,} more to measure",
        f"sharing     needed {wanted:,} times, so {wanted - count:,} trainings are spared",
    ]
    return "\n".join(lines)


def by_model(setting: Setting, scale: CostModel, left: Grid, seconds: Mapping[str, float]) -> str:
    """What there is to do, by the model that does it."""
    costs = partition.costs(scale, left)
    head = ["model", "trainings", "steps", "images", "scored, evaluated"]
    rows, bytes_ = [], 0
    for model, effort in costs.items():
        count = sum(run.model == model for run in left.trainings)
        disk = count * state_bytes(setting.models[model])
        disk += SCORE * (effort.seen - count * scale.val)
        bytes_ += disk
        step = f"{seconds[model]:.3g}" if model in seconds else "?"
        took = hours(scale, {model: effort}, seconds)
        rows.append([model, *amounts(count, effort), step, took, size(disk)])
    bytes_ += PICK * scale.budgets[-1] * len(left.selections)
    count, total = len(left.trainings), added(costs.values())
    rows.append(["all", *amounts(count, total), "", hours(scale, costs, seconds), size(bytes_)])
    shown = table([[*head, "s/step", "hours", "disk"], *rows])
    unknown = [model for model in costs if model not in seconds]
    if unknown:
        hint = ",".join(f"{model}=SECONDS" for model in unknown)
        shown += f"\nno step times are known of some models: --step_seconds={hint}"
    return shown


def by_worker(
    scale: CostModel, work: Grid, left: Grid, split: Sequence[Grid], seconds: Mapping[str, float]
) -> str:
    """What there is to do in each worker's share."""
    head = ["worker", "selections", "trainings", "steps", "images", "scored, evaluated"]
    whole, rows = partition.operations(scale, work), [[*head, "hours", "share"]]
    undone = {*left.selections, *left.trainings}
    for index, share in enumerate(split):
        mine = Grid(*([run for run in part if run in undone] for part in share))
        costs = partition.costs(scale, mine)
        portion = partition.operations(scale, share) / whole
        chosen = sum(bool(selection.surrogate) for selection in mine.selections)
        figures = amounts(len(mine.trainings), added(costs.values()))
        took = hours(scale, costs, seconds)
        rows.append([f"{index}/{len(split)}", f"{chosen:,}", *figures, took, f"{portion:.1%}"])
    return table(rows)


def remaining(setting: Setting, work: Grid) -> Grid:
    """What of a grid is not done; a selection that is begun counts as a whole."""
    workdir, cycles = setting.workdir, setting.config["cycles"]

    def undone(run) -> bool:
        return not grid.is_done(workdir, run)

    chosen = (s for s in work.selections if records.recorded(s.folder(workdir), cycles) < cycles)
    return Grid(
        list(chosen), list(filter(undone, work.surrogates)), list(filter(undone, work.deployments))
    )


def measured(workdir: Path, work: Grid) -> dict[str, float]:
    """By model, the median over finished runs of a device's seconds in a training step."""
    found: dict[str, list[float]] = {}
    for run in work.trainings:
        if result := sealed.read_if_there(run.folder(workdir) / "result.json"):
            devices = result["environment"]["devices"]
            step = result["seconds"]["train"] / result["steps"] * devices
            found.setdefault(run.model, []).append(step)
    return {model: statistics.median(steps) for model, steps in found.items()}


def hours(scale: CostModel, costs: Mapping[str, Cost], seconds: Mapping[str, float]) -> str:
    """Device-hours, `?` where a model's step time is not known."""
    if not costs.keys() <= seconds.keys():
        return "?"
    total = 0.0
    for model, effort in costs.items():
        trained, seen = scale.macs[model]
        of_step = seen / (3 * trained * scale.recipes[model].batch)
        total += seconds[model] * (effort.steps + effort.seen * of_step)
    return f"{total / 3600:,.2f}"


def state_bytes(model: Model) -> int:
    """A checkpoint's: float32 parameters and their momentum, and batch statistics."""
    shapes = jax.eval_shape(functools.partial(networks.init, model), jax.random.key(0))
    count = {kind: sum(x.size for x in jax.tree.leaves(tree)) for kind, tree in shapes.items()}
    return 4 * (2 * count["params"] + count.get("batch_stats", 0))


def added(costs) -> Cost:
    return Cost(*(sum(part) for part in zip(Cost(), *costs, strict=True)))


def amounts(trainings: int, effort: Cost) -> list[str]:
    return [f"{amount:,}" for amount in (trainings, *effort)]


def size(count: float) -> str:
    """`12 MB`, `3.4 GB`."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the first one to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)
