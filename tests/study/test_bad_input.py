"""What cannot be used is refused before any training: one line, exit code 2, nothing left."""

import os

import pytest

from tests.compilation_cache import devices

BAD = [
    (["--config.foo=3"], "unknown field 'config.foo'"),
    (["--config.train.btch=3"], "did you mean 'config.train.batch'"),
    (["--config.seeds=x"], "--config.seeds=x"),
    (["--config.models.a.name=cifar_resnet9"], "did you mean 'cifar_resnet8'"),
    (["--config.policies=('entropi',)"], "did you mean 'entropy'? known: core_set, entropy,"),
    (["--config.dataset.name=digit"], "did you mean 'digits'"),
    (["--config.surrogates=('a','c')"], "unknown model in config.surrogates 'c'"),
    (["--config.budget=1.5"], "config.budget=1.5 must be a finite number above 0 and at most 1"),
    (["--config.cycles=0"], "config.cycles=0"),
    (["--config.train.batch=7"], "config.train.batch=7 must be even"),
    (
        ["--config.train.accumulate=0"],
        "config.train.accumulate=0 must be a whole number from 1 to",
    ),
    (
        ["--config.train.accumulate=3"],
        "config.train.accumulate=3 does not cut config.train.batch",
    ),
    (["--config.train.batch=30"], "above the 29 examples that are labelled first"),
    (["--config.train.schedule=cosin"], "did you mean 'cosine'"),
    (["--config.deploy_cycles=(3,)"], "names cycles from 0 to 2"),
    (
        ["--config.models.a.width=0"],
        "config.models.a.width=0 must be a whole number from 1",
    ),
    (
        ["--config.dataset.cache=gs://bucket/c"],
        "dataset.cache=gs://bucket/c: must be of this machine",
    ),
    (["--config.models.nope.width=1"], "unknown label in config.models 'nope'; known: a, b"),
    (["--config.options.nope={}"], "unknown label in config.options 'nope'"),
    (["--config.train.momentum=7"], "config.train.momentum=7.0 must be a finite number at least 0"),
    (["--config.train.save_every=-3"], "config.train.save_every=-3 must be a whole number"),
    ([f"--config.seeds={10**20}"], f"config.seeds={10**20} must be a whole number from 1 to"),
    (["--config.budget=nan"], "config.budget=nan must be a finite number"),
    (["--config.policies=('entropy','entropy')"], "names 'entropy' twice"),
    (["--plan=1000000000"], "--plan=1000000000: must be a number of workers, from 1 to 10000"),
    (["--worker=1/1000000000"], "--worker=1/1000000000: must be I/N"),
    (["--processes=1000000"], "--processes=1000000"),
    (["--process=5", "--processes=2", "--coordinator=h:1"], "--process=5 must be below"),
    (["--process=0", "--processes=2", "--coordinator=h"], "--coordinator=h: must be HOST:PORT"),
    (["--plan", "--step_seconds=a=nan"], "--step_seconds=a=nan: must be above 0"),
    (["--plan", "--step_seconds=a=1e300"], "--step_seconds=a=1e300: must be above 0 and below"),
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
    (tmp_path / "old.py").write_text("from salx.config import base")
    old = salx(tmp_path / "w", config=tmp_path / "old.py")
    assert (old.returncode, old.stderr) == (
        2,
        "salx: --config: salx.config is salx.study.config since version 0.2\n",
    )


UNUSABLE = {
    "import sys\nsys.exit(0)": ": SystemExit",
    "def get_config():\n    raise SystemExit": ": SystemExit",
    "raise TypeError('first\\nTraceback (most recent):\\n  second')": ": TypeError: first",
    "def get_config():\n    raise ValueError('first\\nsecond')": ": ValueError: first",
    "def get_config():\n    raise BaseException()": ": BaseException: BaseException",
    "x = 1": ": AttributeError: module 'config_config' has no attribute 'get_config'",
    "def get_config():\n    pass": ": get_config gives NoneType, not a ConfigDict",
    "def get_config():\n    return {'seeds': 3}": ": get_config gives dict, not a ConfigDict",
    "def get_config(a, b):\n    pass": ": TypeError: get_config() missing 2 required",
}


@pytest.mark.parametrize("code", UNUSABLE)
def test_a_config_that_does_anything_is_one_line(salx, tmp_path, code):
    path = tmp_path / "config.py"
    path.write_text(code)
    process = salx(tmp_path / "w", config=path)
    assert process.returncode == 2
    assert process.stderr.startswith(f"salx: --config={path}{UNUSABLE[code]}")
    assert process.stderr.count("\n") == 1
    assert "Traceback" not in process.stderr


def test_a_config_that_interrupts_is_interrupted(salx, tmp_path):
    (tmp_path / "config.py").write_text("raise KeyboardInterrupt")
    process = salx(tmp_path / "w", config=tmp_path / "config.py")
    line = "salx: interrupted; the same command goes on from here\n"
    assert (process.returncode, process.stderr) == (130, line)


def test_pipes_in_the_place_of_files_are_refused(salx, tmp_path):
    for name in ("config.py", "w", "v/study.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        os.mkfifo(tmp_path / name)
    process = salx(tmp_path / "u", config=tmp_path / "config.py", timeout=60)
    assert process.stderr == f"salx: --config={tmp_path}/config.py: is no file\n"
    process = salx(tmp_path / "w", timeout=60)
    line = f"salx: --workdir={tmp_path}/w: cannot be written: {tmp_path}/w is no folder\n"
    assert (process.returncode, process.stderr) == (2, line)
    process = salx(tmp_path / "v", timeout=60)
    line = f"salx: {tmp_path}/v/study.json: cannot be read: is no file\n"
    assert (process.returncode, process.stderr) == (2, line)


@pytest.mark.parametrize("name", ["report", "selections", "deployments"])
@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_a_file_in_the_place_of_a_folder_is_refused_first(salx, tmp_path, name, plan):
    (tmp_path / name).write_text("mine")
    process = salx(tmp_path, *plan)
    line = f"salx: --workdir={tmp_path}: cannot be written: {tmp_path}/{name} is no folder\n"
    assert (process.returncode, process.stderr) == (2, line)
    assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("where", ["x" * 300, "a\udcff", "/".join(["x" * 200] * 20)])
def test_names_that_no_work_folder_can_have(salx, tmp_path, where):
    process = salx(f"{tmp_path}/{where}")
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "is too long" in process.stderr or "is not UTF-8" in process.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_workdir_without_permission(salx, tmp_path):
    tmp_path.chmod(0o500)
    process = salx(tmp_path / "w")
    tmp_path.chmod(0o700)
    line = f"salx: --workdir={tmp_path}/w: cannot be written: no permission in {tmp_path}\n"
    assert (process.returncode, process.stderr) == (2, line)


@pytest.mark.parametrize("where", ["file", "/proc/nowhere"])
def test_a_workdir_that_cannot_be_written(salx, tmp_path, where):
    (tmp_path / "file").touch()
    process = salx(tmp_path / where)
    assert process.returncode == 2
    assert "cannot be written" in process.stderr


@pytest.mark.parametrize("where", ["s3://bucket/w", "gs://", "gs://bucket", "gs:///w"])
def test_what_is_neither_a_folder_nor_in_a_bucket(salx, where):
    process = salx(where)
    assert process.returncode == 2
    assert process.stderr.startswith(f"salx: {where}: must be a folder, here or in a bucket: gs://")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("gs://nowhere/w", "there is no such bucket"),
        ("gs://Bad_Bucket/w", "there is no such bucket"),
        ("gs://bucket/w/../x", "'..' and the signs []?*# mean something else in a bucket"),
        ("gs://bucket/[w]", "'..' and the signs []?*# mean something else in a bucket"),
    ],
)
def test_places_that_a_bucket_has_not(salx, bucket, where, why):
    process = salx(where, env=bucket)
    assert process.returncode == 2
    assert process.stderr == f"salx: {where}: {why}\n"


def test_batches_that_four_devices_cannot_share(salx, tmp_path):
    four = {"XLA_FLAGS": devices(4)}
    process = salx(tmp_path / "w", "--config.train.batch=6", env=four)
    assert process.returncode == 2
    assert "config.train.batch=6 must be a multiple of the 4 devices\n" in process.stderr
    process = salx(tmp_path / "w", "--config.train.accumulate=4", env=four)
    assert process.returncode == 2
    assert "=8 must be a multiple of the 4 devices in each of 4 parts" in process.stderr
