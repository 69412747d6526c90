"""Whole small studies through the real command."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from salx import policies, records, report
from salx.data import datasets
from salx.infra import checkpoint, locks, mesh, sealed
from salx.infra.errors import InputError, RunError
from salx.scoring.engine import Scorer
from salx.study import grid
from salx.study.grid import GridSpec
from salx.study.study import Study
from salx.training.step import Trained
from tests import builders
from tests.builders import SMALL, content, picks, quiet
from tests.compilation_cache import devices


def test_the_study_leaves_table_report_and_runs(finished, small):
    workdir, printed = finished
    page = workdir / "report" / "index.html"
    assert "random" in printed
    assert printed.splitlines()[-1] == f"report: {page}"
    assert page.stat().st_size > 10_000
    work = grid.grid(GridSpec.of(small, ()))
    assert {path.name for path in (workdir / "deployments").iterdir()} == {
        job.name for job in work.trainings
    }
    assert {path.name for path in (workdir / "selections").iterdir()} == {
        job.name for job in work.selections
    }


def test_every_budget_is_met_and_no_pick_repeated(finished, small):
    workdir, _ = finished
    fingerprint = datasets.load(small.dataset.to_dict()).fingerprint
    steps = records.budgets(1437, small.budget, small.cycles)
    for job in grid.grid(GridSpec.of(small, ())).selections:
        chain = records.read_chain(job.folder(workdir), 3, fingerprint)
        assert np.cumsum([len(record.ids) for record in chain]).tolist() == steps
        ids = np.concatenate([record.ids for record in chain])
        assert len(set(ids.tolist())) == len(ids) == steps[-1]
        assert 0 <= ids.min() <= ids.max() < 1437


def test_the_first_cycle_is_one_file_for_a_seed_and_differs_between_seeds(finished):
    workdir, _ = finished
    for seed in (0, 1):
        firsts = list(workdir.glob(f"selections/*.s{seed}/cycle_00.jsonl"))
        assert len(firsts) == 3
        assert len({path.read_bytes() for path in firsts}) == 1
    one, other = (workdir / f"selections/random.s{s}/cycle_00.jsonl" for s in (0, 1))
    assert set(records.read(one).ids) != set(records.read(other).ids)


def test_each_pick_leads_to_the_checkpoint_and_score_that_made_it(finished, small):
    """From a record alone: the checkpoint is read back, its digest holds, it scores alike."""
    workdir, _ = finished
    study = Study(small, workdir)
    path = workdir / "selections" / "b.entropy.s1" / "cycle_02.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    header, chosen = lines[0], lines[1:]
    made = header["checkpoint"]
    assert header["surrogate"] == "b"
    assert made["run"] == "b.on.b.entropy.s1.c01"
    what = Trained(study.models["b"], small.recipe("b"), study.dataset.task)
    with checkpoint.Checkpoints(workdir / "deployments" / made["run"] / "checkpoint") as saved:
        state = saved.restore(mesh.abstract(study.trainer.initial(what), 0, made["step"]))
    assert checkpoint.digest(state.variables) == made["digest"]
    ids = np.array([pick["id"] for pick in chosen])
    policy = policies.build(header["policy"], header["options"])
    surrogate = builders.network(what.model, state.variables, study.dataset)
    scores = builders.scores(surrogate, policy, study.dataset, ids, 64)
    np.testing.assert_allclose(scores, [pick["score"] for pick in chosen], rtol=1e-5)
    assert [study.dataset.pool.keys[i] for i in ids] == [pick["key"] for pick in chosen]
    with np.load(path.with_name("scores_02.npz")) as everything:
        rest = dict(zip(everything["ids"].tolist(), everything["scores"].tolist(), strict=True))
    assert sorted(rest.values(), reverse=True)[: len(ids)] == pytest.approx(
        [pick["score"] for pick in chosen], rel=1e-6
    )


def test_a_finished_study_is_left_alone(finished, salx):
    workdir, printed = finished
    before = {path: path.stat().st_mtime_ns for path in workdir.rglob("*") if path.is_file()}
    again = salx(workdir)
    assert again.returncode == 0
    assert again.stdout.splitlines() == [
        f"{workdir}: this study is finished; nothing to do",
        *printed.splitlines(),
    ]
    assert {p: p.stat().st_mtime_ns for p in workdir.rglob("*") if p.is_file()} == before


def test_a_finished_study_needs_no_jax_and_no_run_tensorflow(finished, compiled):
    workdir, _ = finished
    code = (
        "import sys; from absl import app; from salx.commands import study as main\n"
        "def ran(argv):\n"
        "    main.checked_run(argv)\n"
        "    print(sorted({'jax', 'tensorflow', 'matplotlib'} & set(sys.modules)))\n"
        "app.run(ran, flags_parser=main.parse)"
    )
    config = f"--config={SMALL}"

    def imported(folder, *more):
        command = [sys.executable, "-c", code, config, f"--workdir={folder}", *more]
        process = subprocess.run(command, env=compiled, capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        return process.stdout.splitlines()[-1]

    assert imported(workdir) == "[]"
    short = ["--config.seeds=1", "--config.surrogates=('a',)", "--config.deployments=('a',)"]
    assert imported(workdir.with_name("fresh"), *short) == "['jax', 'matplotlib']"


def test_one_compilation_of_each_step_for_a_whole_study(small, tmp_path):
    unseen = {
        "a": {"name": "cifar_resnet8", "width": 3},
        "b": {"name": "cifar_resnet8", "width": 5},
    }
    mesh.traces.clear()
    Study(replace(quiet(small), models=unseen, cycles=2), tmp_path).run()
    assert dict(mesh.traces) == {
        f"{step} {model}": 1 for step in ("init", "train", "evaluate", "score") for model in "ab"
    }


def test_more_seeds_and_models_add_only_what_is_new(finished, salx, tmp_path):
    workdir = tmp_path / "w"
    shutil.copytree(finished[0], workdir)
    before = {p: p.stat().st_mtime_ns for p in workdir.rglob("*.json*") if "report" not in p.parts}
    assert salx(workdir, "--config.seeds=3").returncode == 0
    after = {p: p.stat().st_mtime_ns for p in workdir.rglob("*.json*") if "report" not in p.parts}
    changed = {p.name for p in before if after[p] != before[p]}
    assert changed == {"study.json"}
    assert (workdir / "selections" / "a.entropy.s2" / "cycle_02.jsonl").exists()
    assert "over 3" in salx(workdir, "--config.seeds=3").stdout


def test_another_study_is_refused_with_what_differs(finished, salx):
    process = salx(finished[0], "--config.train.batch=16", "--config.models.a.width=5")
    assert process.returncode == 2
    assert process.stderr == (
        f"salx: --workdir={finished[0]} holds another study: "
        "models.a.width 4 -> 5, train.batch 8 -> 16\n"
    )


@pytest.mark.parametrize(
    "damaged",
    [
        "study.json",
        "selections/a.entropy.s0/cycle_01.jsonl",
        "selections/random.s1/cycle_00.jsonl",
        "deployments/b.on.random.s1.c00/result.json",
    ],
)
def test_damaged_files_are_named_and_never_gone_on_from(finished, salx, tmp_path, damaged):
    workdir = tmp_path / "w"
    shutil.copytree(finished[0], workdir)
    shutil.rmtree(workdir / "deployments" / "a.on.b.entropy.s1.c02")  # something is left to do
    file = workdir / damaged
    file.write_bytes(file.read_bytes().replace(b"e", b"f", 1))
    process = salx(workdir)
    assert process.returncode == 2
    assert process.stderr.startswith(f"salx: {file}: damaged")
    assert process.stderr.count("\n") == 1
    assert not (workdir / "deployments" / "a.on.b.entropy.s1.c02").exists()


def test_a_damaged_checkpoint_is_named_and_can_be_made_again(finished, salx, tmp_path):
    workdir = tmp_path / "w"
    shutil.copytree(finished[0], workdir)
    for path in workdir.glob("selections/b.entropy.s1/cycle_02.*"):
        path.unlink()  # so that the checkpoint is needed again
    folder = workdir / "deployments" / "b.on.b.entropy.s1.c01" / "checkpoint" / "12"
    for file in folder.glob("state/ocdbt.process_0/d/*"):
        file.write_bytes(bytes(byte ^ 0x55 for byte in file.read_bytes()))
    process = salx(workdir)
    assert process.returncode == 2
    assert process.stderr.startswith(f"salx: {folder}: damaged checkpoint")
    shutil.rmtree(folder)
    assert salx(workdir).returncode == 0
    assert content(workdir) == content(finished[0])


def test_a_diverging_study_stops_with_run_cycle_step_and_example(salx, tmp_path):
    process = salx(tmp_path, "--config.train.learning_rate=1e30")
    assert process.returncode == 1
    line = process.stderr.splitlines()[-1]
    assert line.startswith("salx: run a.on.random.s0.c00, cycle 0: step ")
    assert "the loss of example 'digit_" in line


def test_a_score_that_is_not_finite_stops_the_run(small, tmp_path, monkeypatch):
    def broken(scorer, question, dataset, ids, *_):
        return np.where(ids == 700, np.nan, 1.0).astype(np.float32)

    monkeypatch.setattr(Scorer, "score", broken)
    key = datasets.load(small.dataset.to_dict()).pool.keys[700]
    with pytest.raises(
        RunError, match=f"run a.entropy.s0, cycle 1, step 12: the score of example '{key}'"
    ):
        Study(quiet(small), tmp_path).run()
    assert not (tmp_path / "selections" / "a.entropy.s0" / "cycle_01.jsonl").exists()


def test_two_processes_do_not_share_a_run(small, tmp_path):
    run = tmp_path / "selections" / "a.entropy.s0"
    with locks.held(run), pytest.raises(InputError, match=f"{run}: held by process"):
        Study(quiet(small), tmp_path).run()


def test_a_report_of_nothing(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        report.write(tmp_path)


def test_the_same_picks_on_one_and_on_four_devices(finished, salx, tmp_path):
    four = {"XLA_FLAGS": devices(4)}
    process = salx(tmp_path, "--config.surrogates=('a',)", "--config.deployments=('a',)", env=four)
    assert process.returncode == 0, process.stderr
    result = sealed.read_json(tmp_path / "deployments" / "a.on.random.s0.c02" / "result.json")
    assert result["environment"]["devices"] == 4
    one = picks(finished[0])
    assert picks(tmp_path) == {name: ids for name, ids in one.items() if "/b." not in name}
