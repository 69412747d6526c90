"""Draw results against the budget: by who chose, and, as the paper's Figure 3, by policy."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from salx.report import formatting
from salx.report.analysis import potentials, statistics
from salx.report.analysis.grids import SCALE
from salx.report.figures.style import INK, WIDTH, by_policy, by_surrogate, styled
from salx.report.formatting import percent
from salx.report.load.types import RANDOM, Column, StudyFacts, Work, by_seed

Style = Callable[[StudyFacts, Column], dict[str, object]]


@styled()
def deployment(work: Work, model: str, policy: str) -> Figure:
    """Draw one deployment's result against the budget, a line for each surrogate; bars are std.

    Args:
      work: all results.
      model: the label of the deployment.
      policy: that of the policy that chose.

    Returns:
      The figure.
    """
    columns = [*(Column(s, policy) for s in work.study.surrogates), RANDOM]
    names = {
        column: f"{model} (itself)" if column.surrogate == model
        else column.surrogate or column.policy
        for column in columns
    }  # fmt: skip
    figure, (axes,) = panels(1, len(columns), abreast(names.values()))
    draw(axes, work, model, names, by_surrogate)
    legend(figure, [axes], abreast(names.values()))
    return figure


@styled()
def policies(work: Work, models: Sequence[str]) -> Figure:
    """Draw a panel for each model: it chooses for itself, a line for each policy.

    Args:
      work: all results.
      models: their labels.

    Returns:
      The figure.
    """
    columns = [*work.study.policies, RANDOM.policy]
    wide = abreast(map(work.study.title, columns)) * len(models)
    figure, all_axes = panels(len(models), len(columns), wide)
    for axes, model in zip(all_axes, models, strict=True):
        names = {Column(model, policy): work.study.title(policy) for policy in work.study.policies}
        draw(axes, work, model, names | {RANDOM: RANDOM.policy}, by_policy)
    legend(figure, all_axes, wide)
    return figure


def panels(count: int, lines: int, wide: int) -> tuple[Figure, list[Axes]]:
    """Make a row of panels, with room below for a legend.

    Args:
      count: of panels.
      lines: names in the legend.
      wide: how many of these stand side by side.

    Returns:
      The figure and its panels.
    """
    height = 2.6 + 0.15 * math.ceil((lines + 1) / wide)
    figure = Figure(figsize=(WIDTH * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def abreast(names: Iterable[str]) -> int:
    """Say how many names of a legend stand side by side.

    Args:
      names: all of them.

    Returns:
      How many.
    """
    return 2 if max(map(len, names)) < 16 else 1


def legend(figure: Figure, all_axes: Sequence[Axes], wide: int) -> None:
    """Draw one legend for all panels, with each name once.

    Args:
      figure: the figure.
      all_axes: its panels.
      wide: how many names stand side by side.
    """
    handles = {}
    for axes in all_axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    if "potential" in handles:
        handles["potential"] = handles.pop("potential")  # last
    if handles:
        figure.legend(
            handles.values(), handles.keys(), loc="outside lower left", ncols=wide,
            title="chosen by", alignment="left",
        )  # fmt: skip


def draw(axes: Axes, work: Work, model: str, names: Mapping[Column, str], style: Style) -> None:
    """Draw a line for each column, set side by side so that bars can be told apart.

    The model's potential is a level line, and stands in brackets in the title.

    Args:
      axes: the panel.
      work: all results.
      model: the label of the model that was trained.
      names: what the legend calls each column.
      style: gives a column's line its looks.
    """
    study = work.study
    width = study.budgets[-1] / 150
    for number, (column, name) in enumerate(names.items()):
        points = list(measured(work, model, column))
        if points:
            x, middle, spread = (np.array(values, float) for values in zip(*points, strict=True))
            shift = width * (number - (len(names) - 1) / 2)
            axes.errorbar(
                x + shift, middle, yerr=spread, label=name, markersize=3, linewidth=1.1,
                elinewidth=0.8, **style(study, column),
            )  # fmt: skip
    whole = statistics.mean(list(potentials.points(potentials.of(work, model)).values()))
    title = model
    if whole is not None:
        axes.axhline(whole, color=INK, linewidth=0.9, linestyle=":", label="potential")
        title += f" [{formatting.number(whole, study.digits)}]"
    axes.set_title(title)
    axes.set_ylabel(f"{study.metric} ({study.unit})")
    axes.yaxis.set_major_locator(MaxNLocator(6))
    budget_axis(axes, study)


def measured(work: Work, model: str, column: Column) -> Iterator[tuple[int, float, float]]:
    """Take the points of a line.

    Args:
      work: all results.
      model: the label of the model that was trained.
      column: who chose.

    Yields:
      (labelled, mean, std) of the cycles that have results; from one seed std is nan.
    """
    for cycle, labelled in enumerate(work.study.budgets):
        values = [SCALE * r.value for r in by_seed(work, model, column, cycle).values()]
        if values:
            spread = statistics.deviation(values)
            yield labelled, statistics.mean(values), np.nan if spread is None else spread


def budget_axis(axes: Axes, study: StudyFacts) -> None:
    """Mark labelled examples along x, each tick also as a share of the pool.

    Args:
      axes: the panel.
      study: what the study is.
    """
    last = len(study.budgets) - 1
    cycles = sorted({round(last * quarter / 4) for quarter in range(5)})
    ticks = [study.budgets[cycle] for cycle in cycles]
    axes.set_xticks(ticks, [f"{percent(t, study.dataset.pool)}\n{t:,}" for t in ticks])
    axes.set_xlabel("labelled (share of the pool, examples)")
    axes.grid(axis="x", visible=False)
    axes.set_xlim(0, study.budgets[-1] * 1.05)
