"""What cannot be used is refused before any training: one line, exit code 2, nothing left."""

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
