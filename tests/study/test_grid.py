from dataclasses import replace

import pytest

from salx.infra import sealed
from salx.infra.errors import InputError
from salx.study import config as configs
from salx.study import grid, work_folder
from salx.study.grid import Deployment, Selection
from tests.builders import GRID


def test_the_grid_counts_what_it_should():
    work = grid.grid(GRID)
    assert len(work.selections) == 3 + 3 * 3
    # A seed's surrogates share the training after the random cycle with nobody but themselves:
    # 3 models x 3 seeds x 9 cycles. Deployments: 3 x 3 x (3 surrogates + random).
    assert len(work.surrogates) == 3 * 3 * 9
    assert len(work.deployments) == 3 * 3 * 4
    assert len(set(work.trainings)) == len(work.trainings)


def test_two_policies_share_the_first_cycle_and_the_random_column():
    work = grid.grid(replace(GRID, policies=("entropy", "core_set")))
    assert len(work.selections) == 3 + 3 * 3 * 2
    assert len(work.surrogates) == 3 * 3 * (1 + 2 * 8)
    assert len(work.deployments) == 3 * 3 * (3 * 2 + 1)


def test_what_a_surrogate_trained_is_not_trained_again():
    work = grid.grid(replace(GRID, deploy_cycles=(4, 9)))
    own = Deployment("s", Selection("s", "entropy", 0), 4)
    other = Deployment("m", Selection("s", "entropy", 0), 4)
    assert own in work.surrogates
    assert own not in work.deployments
    assert other in work.deployments
    assert len(work.trainings) == 81 + 3 * 3 * (3 + 4)


def test_after_the_first_cycle_all_stand_in_the_random_column():
    chosen = Selection("s", "entropy", 1)
    assert grid.deployment("m", chosen, 0).name == "m.on.random.s1.c00"
    assert grid.deployment("m", chosen, 1).name == "m.on.s.entropy.s1.c01"


def test_every_run_comes_after_what_it_needs():
    work = grid.grid(replace(GRID, deploy_cycles=(0, 9)))
    selections = set(work.selections)
    assert all(job.selection in selections for job in work.trainings)
    randoms = [job.surrogate is None for job in work.selections]
    assert sorted(randoms, reverse=True) == randoms


def test_a_surrogate_that_is_not_deployed_and_the_reverse():
    work = grid.grid(replace(GRID, surrogates=("s",), deployments=("l",), seeds=1))
    assert {job.model for job in work.surrogates} == {"s"}
    assert [job.name for job in work.deployments] == [
        "l.on.random.s0.c00",
        "l.on.random.s0.c09",
        "l.on.s.entropy.s0.c09",
    ]


def test_a_surrogate_with_a_head_is_trained_apart_from_the_deployment():
    work = grid.grid(replace(GRID, policies=("learning_loss",), deploy_cycles=(4, 9)))
    assert len(work.surrogates) == 3 * 3 * 9
    assert {job.head for job in work.surrogates} == {"learning_loss"}
    assert {job.head for job in work.deployments} == {""}
    # Nothing of the diagonal comes for free: after cycles 0 (shared by all), 4 and 9.
    assert len(work.deployments) == 3 * 3 * (1 + 2 * 4)
    assert work.surrogates[0].name == "s.on.random.s0.c00.with.learning_loss"
    assert work.surrogates[1].name == "s.on.s.learning_loss.s0.c01.with.learning_loss"


def test_a_lineage_hands_its_selection_from_model_to_model():
    config = replace(GRID, surrogates=(), lineages={"fleet": ("s", "m", "l")}, seeds=1)
    assert grid.generations(config, "fleet") == [("s", 0, 3), ("m", 4, 6), ("l", 7, 9)]
    selection = Selection("fleet", "entropy", 0)
    chosen_by = [grid.surrogates(config, selection, cycle)[0].name for cycle in (1, 3, 4, 9)]
    assert chosen_by == [
        "s.on.random.s0.c00",
        "s.on.fleet.entropy.s0.c02",
        "m.on.fleet.entropy.s0.c03",
        "l.on.fleet.entropy.s0.c08",
    ]
    names = {job.name for job in grid.grid(config).trainings}
    for model, last in (("s", 3), ("m", 6), ("l", 9)):  # against starting again from random
        assert f"{model}.on.fleet.entropy.s0.c{last:02d}" in names
        assert f"{model}.on.random.s0.c{last:02d}" in names


def test_generations_share_the_cycles_in_turn():
    for cycles in range(1, 12):
        for count in range(1, cycles + 1):
            line = [str(i) for i in range(count)]
            config = replace(GRID, lineages={"x": line}, cycles=cycles)
            turns = grid.generations(config, "x")
            assert [turn[1] for turn in turns] == [0, *(turn[2] + 1 for turn in turns[:-1])]
            assert turns[-1][2] == cycles - 1


def test_potentials_are_trained_on_the_whole_pool():
    work = grid.grid(replace(GRID, potentials=True))
    whole = [job for job in work.deployments if job.selection.policy == "all"]
    assert len(whole) == 3 * 3
    assert whole[0].name == "s.on.all.s0"
    assert grid.labelled(whole[0], [2, 4], 77) == 77
    assert grid.labelled(work.deployments[0], list(range(2, 12)), 77) == 11


DATA = {"dataset": {"fingerprint": "sha256:0"}}


def test_where_data_lies_and_who_reads_it_make_no_other_study(tmp_path, small):
    """What becomes of an image does."""

    def visited(dataset, train, **rest):
        plain = small.to_dict()
        config = {**plain, **rest, "dataset": {**plain["dataset"], **dataset}}
        return configs.resolve({**config, "train": {**plain["train"], **train}})

    held = visited({"dir": "/a", "cache": "/b", "resize": 0}, {}).to_dict()
    sealed.write_json(tmp_path / "study.json", {"config": held, **DATA})
    work_folder.refuse_other(
        tmp_path, visited({"dir": "/c", "cache": "", "resize": 0}, {"workers": 8})
    )
    with pytest.raises(InputError, match=r"dataset\.resize 0 -> 256"):
        work_folder.refuse_other(tmp_path, visited({"resize": 256}, {}))
    flipped = {**small.to_dict()["transform"], "flip": True}
    with pytest.raises(InputError, match=r"study: transform\.flip False -> True$"):
        work_folder.refuse_other(tmp_path, visited({"resize": 0}, {}, transform=flipped))


def test_batches_in_parts_make_another_study_and_whole_ones_do_not(tmp_path, small):
    plain = small.to_dict()
    train = dict(plain["train"])
    del train["accumulate"]  # a study from when batches could only be whole
    sealed.write_json(tmp_path / "study.json", {"config": {**plain, "train": train}, **DATA})
    work_folder.refuse_other(tmp_path, small)
    with pytest.raises(InputError, match=r"train\.accumulate None -> 2"):
        work_folder.refuse_other(
            tmp_path, configs.resolve({**plain, "train": {**train, "accumulate": 2}})
        )
