"""The plan of a study, as text: its runs, what they share, and what they take, worker by worker.

Counts are exact; hours and bytes are estimates.
"""

import functools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jax

from salx import records, run_folder
from salx.models.model import Model, init
from salx.study import grid, partition, work_folder
from salx.study.context import StudyContext
from salx.study.grid import Deployment, Grid
from salx.study.partition import Cost, CostModel

# Bytes of an example's id and score in scores_CC.npz, and about those of a pick's line.
SCORE, PICK = 12, 120
NOTES = """\
Images are those of training steps, and those scored or evaluated, which are reckoned at a third
of a training's. Hours are device-hours: of training, scoring and evaluation, without k-center.
Shares are of the multiply-accumulates of the whole grid, and do not depend on measured times."""


def text(
    study: StudyContext, work: Grid, shares: Sequence[Grid], step_seconds: Mapping[str, float]
) -> str:
    """Make the plan of a grid.

    Args:
      study: whose grid it is.
      work: all of its runs.
      shares: the runs of each worker; () where there is one worker.
      step_seconds: by model, seconds of one device in a training step; of other models they are
        taken from finished runs.

    Returns:
      A summary, a table by model, one by worker, and notes.

    Raises:
      InputError: for files that are damaged, or of other runs.
    """
    scale, left = study.cost_model(), _remaining(study, work)
    seconds = {**_measured(study.workdir, work), **step_seconds}
    parts = [_summary(study, work, left), _by_model(study, scale, left, seconds)]
    if shares:
        parts.append(_by_worker(scale, work, left, shares, seconds))
    return "\n\n".join([*parts, NOTES])


def _summary(study: StudyContext, work: Grid, left: Grid) -> str:
    """What the study is, its runs, and how many more there would be if none were shared."""
    config, dataset = study.config, study.dataset
    choosing, measuring = grid.needs(study.spec)
    wanted, count = len(choosing) + len(measuring), len(work.trainings)
    lines = [
        f"{config.name}: {dataset.name}, a pool of {len(dataset.pool):,}, labelled "
        f"{', '.join(f'{budget:,}' for budget in study.budgets)}; seeds: {config.seeds}",
        f"selections  {len(work.selections):,}, {len(left.selections):,} to do",
        f"trainings   {count:,}, {len(left.trainings):,} to do: {len(work.surrogates):,} to "
        f"choose by, {len(work.deployments):,} more to measure",
        f"sharing     needed {wanted:,} times, so {wanted - count:,} trainings are spared",
    ]
    return "\n".join(lines)


def _by_model(
    study: StudyContext, scale: CostModel, left: Grid, seconds: Mapping[str, float]
) -> str:
    """What there is to do, by the model that does it."""
    costs = partition.costs(scale, left)
    head = ["model", "trainings", "steps", "images", "scored, evaluated"]
    rows, bytes_ = [], 0
    for model, cost in costs.items():
        count = sum(run.model == model for run in left.trainings)
        disk = count * _state_bytes(study.models[model], scale.recipes[model].optimizer)
        disk += SCORE * (cost.passed - count * scale.val)
        bytes_ += disk
        step = f"{seconds[model]:.3g}" if model in seconds else "?"
        took = _hours(scale, {model: cost}, seconds)
        rows.append([model, *_amounts(count, cost), step, took, _size(disk)])
    bytes_ += PICK * scale.budgets[-1] * len(left.selections)
    count, total = len(left.trainings), _added(costs.values())
    rows.append(["all", *_amounts(count, total), "", _hours(scale, costs, seconds), _size(bytes_)])
    shown = _table([[*head, "s/step", "hours", "disk"], *rows])
    unmeasured = [model for model in costs if model not in seconds]
    if unmeasured:
        hint = ",".join(f"{model}=SECONDS" for model in unmeasured)
        shown += f"\nno step times are known of some models: --step_seconds={hint}"
    return shown


def _by_worker(
    scale: CostModel, work: Grid, left: Grid, split: Sequence[Grid], seconds: Mapping[str, float]
) -> str:
    """What there is to do in each worker's share."""
    head = ["worker", "selections", "trainings", "steps", "images", "scored, evaluated"]
    whole, rows = partition.operations(scale, work), [[*head, "hours", "share"]]
    undone = {*left.selections, *left.trainings}
    for index, share in enumerate(split):
        mine = Grid(*([run for run in runs if run in undone] for runs in share))
        costs = partition.costs(scale, mine)
        portion = partition.operations(scale, share) / whole
        chosen = sum(bool(selection.surrogate) for selection in mine.selections)
        figures = _amounts(len(mine.trainings), _added(costs.values()))
        took = _hours(scale, costs, seconds)
        rows.append([f"{index}/{len(split)}", f"{chosen:,}", *figures, took, f"{portion:.1%}"])
    return _table(rows)


def _remaining(study: StudyContext, work: Grid) -> Grid:
    """What of a grid is not done; a selection that is begun counts as a whole.

    Raises InputError for files that are damaged, or of other runs.
    """
    workdir, cycles, data = study.workdir, study.config.cycles, study.dataset.fingerprint

    def undone(run: Deployment) -> bool:
        return not work_folder.is_done(workdir, run)

    chosen = [
        selection
        for selection in work.selections
        if len(records.read_chain(selection.folder(workdir), cycles, data)) < cycles
    ]
    return Grid(
        chosen, list(filter(undone, work.surrogates)), list(filter(undone, work.deployments))
    )


def _measured(workdir: Path, work: Grid) -> dict[str, float]:
    """By model, the median over finished runs of a device's seconds in a training step."""
    steps: dict[str, list[float]] = {}
    for run in work.trainings:
        if result := run_folder.result(run.folder(workdir)):
            devices = result["environment"]["devices"]
            step = result["seconds"]["train"] / result["steps"] * devices
            steps.setdefault(run.model, []).append(step)
    return {model: statistics.median(every) for model, every in steps.items()}


def _hours(scale: CostModel, costs: Mapping[str, Cost], seconds: Mapping[str, float]) -> str:
    """Device-hours, `?` where a model's step time is not known."""
    if not costs.keys() <= seconds.keys():
        return "?"
    total = 0.0
    for model, cost in costs.items():
        trained, passed = scale.macs[model]
        of_step = passed / (3 * trained * scale.recipes[model].batch)
        total += seconds[model] * (cost.steps + cost.passed * of_step)
    return f"{total / 3600:,.2f}"


def _state_bytes(model: Model, optimizer: str) -> int:
    """The bytes of a checkpoint: float32 parameters and their moments, and batch statistics."""
    shapes = jax.eval_shape(functools.partial(init, model), jax.random.key(0))
    count = {kind: sum(x.size for x in jax.tree.leaves(tree)) for kind, tree in shapes.items()}
    moments = 2 if optimizer == "adamw" else 1
    return 4 * ((1 + moments) * count["params"] + count.get("batch_stats", 0))


def _added(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    return sum(costs, Cost())


def _amounts(trainings: int, cost: Cost) -> list[str]:
    """Trainings, steps, images and what passes, as text."""
    return [f"{amount:,}" for amount in (trainings, cost.steps, cost.trained, cost.passed)]


def _size(count: float) -> str:
    """Bytes as text, `12 MB`, `3.4 GB`."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the first one to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)
