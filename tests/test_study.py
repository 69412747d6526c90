"""Whole small studies through the real command."""

import json
import shutil
import sys

import numpy as np
import pytest

from salx import data, grid, parallel, pool, report, runs, study
from salx.errors import InputError, RunError


@pytest.fixture(scope="module")
def finished(salx, tmp_path_factory):
    """A work folder with the finished small study, and what the command printed."""
    workdir = tmp_path_factory.mktemp("study") / "w"
    process = salx(workdir)
    assert process.returncode == 0, process.stderr
    return workdir, process.stdout


def content(workdir):
    """Everything in a work folder that must not depend on how often it was interrupted."""
    found = {}
    for path in sorted(workdir.rglob("*")):
        name = str(path.relative_to(workdir))
        if path.suffix == ".jsonl":
            found[name] = path.read_bytes()
        elif path.name == "result.json" or path.name.startswith("cycle_"):
            found[name] = runs.read_json(path)
            found[name].pop("seconds")
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                found[name] = {key: arrays[key].tolist() for key in arrays}
    return found


def quiet(config):
    return {**config, "telemetry": {**config["telemetry"], "progress": False}}


def picks(workdir):
    return {
        str(path.relative_to(workdir)): pool.read(path).ids.tolist()
        for path in sorted(workdir.glob("selections/*/cycle_*.jsonl"))
    }


def test_the_study_leaves_table_report_and_runs(finished, small):
    workdir, printed = finished
    page = workdir / "report" / "index.html"
    assert "random" in printed
    assert printed.splitlines()[-1] == f"report: {page}"
    assert page.stat().st_size > 10_000
    work = grid.grid(small)
    assert {path.name for path in (workdir / "deployments").iterdir()} == {
        job.name for job in work.trainings
    }
    assert {path.name for path in (workdir / "selections").iterdir()} == {
        job.name for job in work.selections
    }


def test_every_budget_is_met_and_no_pick_repeated(finished, small):
    workdir, _ = finished
    fingerprint = data.load(small["dataset"]).fingerprint
    steps = pool.budgets(1437, small["budget"], small["cycles"])
    for job in grid.grid(small).selections:
        chain = pool.read_chain(job.folder(workdir), 3, fingerprint)
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
    assert set(pool.read(one).ids) != set(pool.read(other).ids)


def test_each_pick_leads_to_the_checkpoint_and_score_that_made_it(finished, small):
    """From a record alone: the checkpoint is read back, its digest holds, it scores alike."""
    from salx import checkpoint, selection, train
    from salx.data import loader
    from salx.selection import scoring

    workdir, _ = finished
    setting = study.check(small, workdir)
    path = workdir / "selections" / "b.entropy.s1" / "cycle_02.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    header, chosen = lines[0], lines[1:]
    made = header["checkpoint"]
    assert header["surrogate"] == "b"
    assert made["run"] == "b.on.b.entropy.s1.c01"
    model, total = setting.models["b"], made["step"]
    batches = loader.training(setting.dataset.pool, np.arange(57), 0, 8, total)
    with checkpoint.Checkpoints(workdir / "deployments" / made["run"] / "checkpoint") as saved:
        abstract = parallel.abstract(train.initial(model, setting.recipe), 0, total)
        state = saved.restore(abstract, batches)
    assert checkpoint.digest(state.variables) == made["digest"]
    ids = np.array([pick["id"] for pick in chosen])
    example = selection.build(header["policy"], header["options"]).example
    scores = scoring.score_pool(model, state.variables, example, setting.dataset.pool, ids, 64)
    np.testing.assert_allclose(scores, [pick["score"] for pick in chosen], rtol=1e-5)
    assert [setting.dataset.pool.keys[i] for i in ids] == [pick["key"] for pick in chosen]
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
    import subprocess

    workdir, _ = finished
    code = (
        "import sys; from absl import app; from salx import main\n"
        "def ran(argv):\n"
        "    main.main(argv)\n"
        "    print(sorted({'jax', 'tensorflow', 'matplotlib'} & set(sys.modules)))\n"
        "app.run(ran, flags_parser=main.parse)"
    )
    config = f"--config={__file__.replace('test_study', 'small_study')}"

    def imported(folder):
        command = [sys.executable, "-c", code, config, f"--workdir={folder}"]
        process = subprocess.run(command, env=compiled, capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        return process.stdout.splitlines()[-1]

    assert imported(workdir) == "[]"
    assert imported(workdir.with_name("fresh")) == "['jax', 'matplotlib']"


def test_one_compilation_of_each_step_for_a_whole_study(small, tmp_path):
    unseen = {
        "a": {"name": "cifar_resnet8", "width": 3},
        "b": {"name": "cifar_resnet8", "width": 5},
    }
    parallel.traces.clear()
    study.run({**quiet(small), "models": unseen}, tmp_path)
    assert dict(parallel.traces) == {
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


BAD = [
    (["--config.foo=3"], "unknown field 'config.foo'"),
    (["--config.train.btch=3"], "did you mean 'config.train.batch'"),
    (["--config.seeds=x"], "--config.seeds=x"),
    (["--config.models.a.name=cifar_resnet9"], "did you mean 'cifar_resnet8'"),
    (["--config.policies=('entropi',)"], "did you mean 'entropy'? known: entropy, random"),
    (["--config.dataset.name=digit"], "did you mean 'digits'"),
    (["--config.surrogates=('a','c')"], "unknown model in config.surrogates 'c'"),
    (["--config.budget=1.5"], "above the pool"),
    (["--config.cycles=0"], "config.cycles=0"),
    (["--config.train.batch=7"], "config.train.batch=7 must be even"),
    (["--config.train.batch=30"], "above the 29 examples that are labelled first"),
    (["--config.train.schedule=cosin"], "did you mean 'cosine'"),
    (["--config.deploy_cycles=(3,)"], "names cycles from 0 to 2"),
    (["--nope"], "Unknown command line flag 'nope'"),
    (["stray"], "unexpected argument 'stray'"),
]


@pytest.mark.parametrize(("flags", "message"), BAD, ids=[" ".join(flags) for flags, _ in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(salx, tmp_path, flags, message):
    process = salx(tmp_path / "w", *flags)
    assert process.returncode == 2
    assert message in process.stderr
    assert process.stderr.count("\n") == 1
    assert process.stdout == ""
    assert not (tmp_path / "w").exists()


def test_configs_that_cannot_be_read(salx, tmp_path):
    absent = salx(tmp_path / "w", config=tmp_path / "nope.py")
    assert (absent.returncode, absent.stderr) == (
        2,
        f"salx: --config={tmp_path}/nope.py: no such file\n",
    )
    (tmp_path / "bad.py").write_text("def get_config(:")
    broken = salx(tmp_path / "w", config=tmp_path / "bad.py")
    assert broken.returncode == 2
    assert "SyntaxError" in broken.stderr
    assert "bad.py" in broken.stderr


@pytest.mark.parametrize("where", ["file", "/proc/nowhere"])
def test_a_workdir_that_cannot_be_written(salx, tmp_path, where):
    (tmp_path / "file").touch()
    process = salx(tmp_path / where)
    assert process.returncode == 2
    assert "cannot be written" in process.stderr


def test_a_diverging_study_stops_with_run_cycle_step_and_example(salx, tmp_path):
    process = salx(tmp_path, "--config.train.learning_rate=1e30")
    assert process.returncode == 1
    line = process.stderr.splitlines()[-1]
    assert line.startswith("salx: run a.on.random.s0.c00, cycle 0: step ")
    assert "the loss of example 'digit_" in line


def test_a_score_that_is_not_finite_stops_the_run(small, tmp_path, monkeypatch):
    def broken(model, variables, example, source, ids, *_):
        return np.where(ids == 700, np.nan, 1.0).astype(np.float32)

    monkeypatch.setattr("salx.selection.scoring.score_pool", broken)
    key = data.load(small["dataset"]).pool.keys[700]
    with pytest.raises(RunError, match=f"run a.entropy.s0, cycle 1: the score of example '{key}'"):
        study.run(quiet(small), tmp_path)
    assert not (tmp_path / "selections" / "a.entropy.s0" / "cycle_01.jsonl").exists()


def test_two_processes_do_not_share_a_workdir(small, tmp_path):
    with runs.held(tmp_path), pytest.raises(InputError, match="held by process"):
        study.run(small, tmp_path)


def test_a_report_of_nothing(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        report.write(tmp_path)


def test_the_same_picks_on_one_and_on_four_devices(finished, salx, tmp_path):
    four = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    process = salx(tmp_path, env=four)
    assert process.returncode == 0, process.stderr
    result = runs.read_json(tmp_path / "deployments" / "a.on.random.s0.c02" / "result.json")
    assert result["environment"]["devices"] == 4
    assert picks(tmp_path) == picks(finished[0])


def test_batches_that_four_devices_cannot_share(salx, tmp_path):
    four = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    process = salx(tmp_path / "w", "--config.train.batch=6", env=four)
    assert process.returncode == 2
    assert "config.train.batch=6 must be a multiple of the 4 devices" in process.stderr
