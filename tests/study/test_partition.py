"""How a grid is shared out; nothing is run."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salx import records
from salx.infra.errors import InputError
from salx.study import grid, partition
from salx.study.grid import HEADS_BEFORE, GridSpec, Selection
from salx.study.partition import Cost, CostModel
from salx.training.recipe import Recipe
from tests.builders import GRID, config_of

MACS = {"s": (1.0, 2.0), "m": (10.0, 20.0), "l": (100.0, 200.0)}
RECIPE = Recipe(batch=4, epochs=2.0)


def scale(spec, pool=1000, val=50) -> CostModel:
    budgets = records.budgets(pool, 0.2, spec.cycles)
    return CostModel(spec, budgets, pool, val, dict.fromkeys(MACS, RECIPE), MACS)


def split(config, count):
    sizes = scale(config)
    return partition.split(
        config, grid.grid(config), count, lambda g: partition.operations(sizes, g)
    )


some = st.lists(st.sampled_from("sml"), min_size=1, max_size=3, unique=True)
POLICY_NAMES = ("entropy", "learning_loss", "core_set", "true_loss")
studies = st.builds(
    GridSpec,
    **{
        "surrogates": some,
        "deployments": some,
        "policies": st.lists(st.sampled_from(POLICY_NAMES), min_size=1, max_size=4, unique=True),
        "seeds": st.integers(1, 3),
        "cycles": st.integers(3, 5),
        "deploy_cycles": st.lists(st.integers(0, 2), max_size=3),
        "lineages": st.sampled_from([{}, {"fleet": ("s", "m")}, {"x": ("m",), "y": ("l", "s")}]),
        "potentials": st.booleans(),
    },
)


@settings(deadline=None)
@given(studies, st.integers(1, 7))
def test_every_run_is_in_one_share_with_all_that_it_needs(config, count):
    whole, parts = grid.grid(config), split(config, count)
    assert len(parts) == count
    trainings = [run for part in parts for run in part.trainings]
    assert sorted(trainings, key=str) == sorted(whole.trainings, key=str)
    chosen = [s for part in parts for s in part.selections if s.surrogate]
    assert sorted(chosen, key=str) == sorted((s for s in whole.selections if s.surrogate), key=str)
    assert {s for part in parts for s in part.selections} == set(whole.selections)
    for part in parts:
        done = set(part.selections)
        for selection in part.selections:
            assert Selection(None, "random", selection.seed) in done  # its first cycle
            if selection.surrogate:
                assert set(grid.choosing(config, selection)) <= set(part.trainings)
        assert all(run.selection in done or run.selection.policy == "all" for run in part.trainings)
    assert parts == split(config, count)


@settings(deadline=None)
@given(studies, st.integers(1, 7))
def test_no_worker_has_more_than_a_fair_share_and_one_unit(config, count):
    whole, sizes = grid.grid(config), scale(config)
    parts = [partition.operations(sizes, part) for part in split(config, count)]
    largest = max(
        partition.operations(sizes, unit) for unit in partition.independent_parts(config, whole)
    )
    assert sum(parts) == pytest.approx(partition.operations(sizes, whole))
    assert max(parts) <= sum(parts) / count + largest * (1 + 1e-9)


def test_selections_that_share_a_training_stay_together():
    config = replace(GRID, policies=POLICY_NAMES, lineages={"fleet": ("s", "m")}, seeds=1)
    units = [
        set(unit.selections) for unit in partition.independent_parts(config, grid.grid(config))
    ]
    entropy, core_set, fleet = (
        Selection(*who, 0) for who in (("s", "entropy"), ("s", "core_set"), ("fleet", "true_loss"))
    )
    other, head = Selection("m", "entropy", 0), Selection("s", "learning_loss", 0)
    (home,) = [unit for unit in units if entropy in unit]
    assert {core_set, fleet} <= home  # after cycle 0 all three ask the same s.on.random.s0.c00
    assert not {other, head} & home  # which a head beside it makes another one


def test_efforts_worked_out_by_hand():
    config = replace(GRID, surrogates=("s",), deployments=("m",), seeds=1, cycles=2)
    # 1,000 examples, 100 and 200 labelled, 2 epochs in batches of 4: 50 and 100 steps. s chooses
    # once, from 900; m is measured after cycle 0, and after cycle 1 of s and of random.
    assert partition.costs(scale(config), grid.grid(config)) == {
        "s": Cost(50, 200, 50 + 900),
        "m": Cost(250, 1000, 3 * 50),
    }
    total = partition.operations(scale(config), grid.grid(config))
    assert total == 1 * 3 * 200 + 2 * 950 + 10 * 3 * 1000 + 20 * 150


@pytest.mark.parametrize(
    ("name", "selections", "choosing", "measuring"),
    [
        # Table 3: 3 seeds of 5 models. A surrogate trains 9 times to choose cycles 1 to 9; each
        # model is measured at the end on 5 choices and at random; after cycle 0 it has been.
        ("table3_cityscapes.py", 3 * (5 + 1), 3 * 5 * 9, 3 * 5 * 6),
        ("table4_ade20k.py", 3 * (3 + 1), 3 * 3 * 9, 3 * 3 * 4),
        ("table5_imagenet.py", 3 * (2 + 1), 3 * 2 * 9, 3 * 2 * 3),
        # Figure 3: entropy, Core-Set and true loss share the training after cycle 0 and then
        # have 8 each; learning loss has 9 of its own. Measured: 9 at random, the last of three
        # policies, 9 of learning loss without its head, the potential.
        ("fig3_imagenet.py:res18", 3 * 5, 3 * (1 + 3 * 8 + 9), 3 * (9 + 3 + 9 + 1)),
        ("fig3_imagenet.py:res34", 3 * 5, 3 * (1 + 3 * 8 + 9), 3 * (9 + 3 + 9 + 1)),
        ("fig3_cityscapes.py:res18", 3 * 5, 3 * (1 + 3 * 8 + 9), 3 * (9 + 3 + 9 + 1)),
        ("fig3_cityscapes.py:res50", 3 * 5, 3 * (1 + 3 * 8 + 9), 3 * (9 + 3 + 9 + 1)),
        ("fig3_cityscapes.py:xc65", 3 * 5, 3 * (1 + 3 * 8 + 9), 3 * (9 + 3 + 9 + 1)),
        # Figure 4: five models on one random tenth; what they would choose is not trained on.
        ("fig4_cityscapes.py", 3 * (5 + 1), 3 * 5, 0),
        # 3 models and a lineage of them, which begins with the first one's training and has 8
        # more. Measured after cycles 4 and 9 on 4 choices and at random, less a model's own
        # after cycle 4, which choosing trained, and that of the lineage's second model, which
        # chooses cycle 5 after it; more in the lineage: the ends of its first two generations,
        # after cycles 3 and 6, and at random there; potentials.
        ("study_camvid.py", 3 * 5, 3 * (3 * 9 + 8), 3 * (3 * 2 * 5 - 3 - 1 + 2 * 2 + 3)),
        ("study_cifar10.py", 3 * 5, 3 * (3 * 9 + 8), 3 * (3 * 2 * 5 - 3 - 1 + 2 * 2 + 3)),
        ("study_scenes.py", 3 * 5, 3 * (3 * 9 + 8), 3 * (3 * 2 * 5 - 3 - 1 + 2 * 2 + 3)),
    ],
)
def test_the_runs_of_the_papers_tables_counted_by_hand(name, selections, choosing, measuring):
    config = config_of(name)
    work = grid.grid(GridSpec.of(config, HEADS_BEFORE))
    found = len(work.selections), len(work.surrogates), len(work.deployments)
    assert found == (selections, choosing, measuring)


def test_the_steps_of_the_papers_cityscapes():
    """220 epochs of what is labelled, in batches of 4, and of 6 for Xception-65."""
    config = config_of("fig4_cityscapes.py")
    recipes = {label: config.recipe(label) for label in config.models}
    spec = GridSpec.of(config, ())
    budgets = records.budgets(2975, config.budget, config.cycles)
    scale = CostModel(spec, budgets, 2975, 500, recipes, {})
    tenth = partition.costs(scale, grid.grid(spec))
    assert tenth["res18"] == Cost(3 * 220 * 298 // 4, 3 * 220 * 298, 3 * (500 + 2975 - 298))
    assert tenth["xc65"].steps == 3 * round(220 * 298 / 6)


@pytest.mark.parametrize("text", ["", "3", "3/3", "a/2", "-1/2", "0/0", "1/", "0/2/3"])
def test_what_is_no_worker(text):
    with pytest.raises(InputError, match=f"--worker={text}: must be I/N"):
        partition.worker(text)


def test_workers_count_from_zero():
    assert [partition.worker(f"{index}/3") for index in range(3)] == [(0, 3), (1, 3), (2, 3)]
