import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from salx.data import cache, datasets
from salx.data.options import DatasetOptions, Readers
from salx.data.sources import example
from salx.infra.errors import InputError, RunError, renamed
from tests.builders import ROOT
from tests.data import tiny
from tests.data.streams import eval_batches, train_batches
from tests.data.tiny import Pictures, content, dataset


def prepare(made, folder="", resize=16, on_error="raise"):
    return datasets.arranged(made, DatasetOptions("tiny", resize, str(folder), on_error))


def files(folder):
    """The caches of the pool; the validation split has its own."""
    return sorted(folder.glob("tiny_pool_*"))


def reads(log):
    return sorted(int(line) for line in log.read_text().split())


@pytest.mark.parametrize("resize", [0, 16])
@pytest.mark.parametrize(
    "kind", [{}, {"labels": "class"}, {"labels": None}, {"labels": "class", "channels": 1}]
)
def test_what_is_cached_is_what_is_read_bit_for_bit(tmp_path, kind, resize):
    made = dataset(Pictures(9, **kind))
    plain, stored = prepare(made, resize=resize), prepare(made, tmp_path, resize)
    assert content(stored.pool) == content(plain.pool)
    assert content(stored.val) == content(plain.val)
    assert isinstance(stored.pool, cache.Cached)
    assert stored.fingerprint == made.fingerprint
    if resize:
        assert {
            min(item["image"].shape[:2]) for item in map(stored.pool.__getitem__, range(9))
        } == {16}


def test_an_image_is_decoded_once(tmp_path):
    log = tmp_path / "log"
    for _ in range(2):
        made = prepare(dataset(Pictures(9, log)), tmp_path)
        for workers in (0, 2):
            passed = eval_batches(made.pool, square, np.arange(9), 4, Readers(workers=workers))
            seen = [int(i) for part in passed for i in part["id"][part["mask"]]]
            assert seen == list(range(9))
    assert reads(log) == list(range(9))


def square(item):
    return {"image": item["image"][:16, :16]}


def test_another_source_or_size_is_another_cache(tmp_path):
    log = tmp_path / "log"
    prepare(dataset(Pictures(4, log)), tmp_path)
    for made, resize, built in (
        (dataset(Pictures(4, log)), 16, 1),
        (dataset(Pictures(4, log)), 12, 2),
        (dataset(Pictures(4, log), version=b"new"), 16, 3),
        (dataset(Pictures(5, log)), 16, 4),
    ):
        prepared = prepare(made, tmp_path, resize)
        assert content(prepared.pool) == content(prepare(made, resize=resize).pool)
        assert len(files(tmp_path)) == built


@pytest.fixture
def build(tmp_path):
    """Starts a process that builds and reads the cache, so many seconds for each image."""

    def start(delay):
        command = [sys.executable, "-m", "tests.data.tiny"]
        arguments = [str(tmp_path / "cache"), str(tmp_path / "log"), str(delay)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        return subprocess.Popen([*command, *arguments], env=env, stdout=subprocess.PIPE, text=True)

    return start


def test_of_two_processes_one_builds_and_both_read(tmp_path, build):
    outputs = [process.communicate(timeout=100)[0].split() for process in (build(0.1), build(0.1))]
    assert outputs[0][0] == outputs[1][0]
    assert outputs[0][1] != outputs[1][1]
    assert reads(tmp_path / "log") == list(range(12))
    names = [path.name for path in (tmp_path / "cache").iterdir()]
    assert len([name for name in names if not name.startswith(".")]) == 2
    assert not [name for name in names if name.endswith(".tmp")]


def test_what_a_killed_build_left_is_not_trusted(tmp_path, build):
    process, log = build(0.3), tmp_path / "log"
    while not log.exists() or len(log.read_text()) < 8:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert files(tmp_path / "cache") == []
    assert list((tmp_path / "cache").glob("*.tmp"))
    made = dataset(Pictures(12))
    assert content(prepare(made, tmp_path / "cache").pool) == content(prepare(made).pool)
    assert not list((tmp_path / "cache").glob("*.tmp"))


def verdict(made, path, damaged):
    """What is read from a damaged file, or why it is refused."""
    path.write_bytes(damaged)
    try:
        source = prepare(made, path.parent).pool
        return [example(source, index)["image"].tobytes() for index in range(6)]
    except (InputError, RunError) as error:
        return str(error)


def test_damage_is_found_and_named(tmp_path):
    """A cache is cut and emptied, and single bytes of it are changed."""
    made = dataset(Pictures(6))
    source = prepare(made, tmp_path).pool
    images, (path,) = [source[i]["image"].tobytes() for i in range(6)], files(tmp_path)
    whole = path.read_bytes()

    def changed(at):
        return whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]

    named = f"{path}: damaged cache (delete it to build it again)"
    pixels = [changed(whole.find(image[:500]) + 250) for image in images]
    for damaged in (whole[: len(whole) // 2], whole[:-1], b"", *pixels):
        assert named in verdict(made, path, damaged)
    for at in range(0, len(whole), 1009):  # anywhere: also where it does not matter
        result = verdict(made, path, changed(at))
        assert result == images or named in result


def test_a_cache_of_another_set_is_refused(tmp_path):
    one, other = (dataset(Pictures(4), version=version) for version in (b"1", b"2"))
    prepare(one, tmp_path)
    (first,) = files(tmp_path)
    prepare(other, tmp_path)
    (second,) = set(files(tmp_path)) - {first}
    first.replace(second)
    with pytest.raises(InputError, match=f"{second}: damaged cache .*another data set"):
        prepare(other, tmp_path)


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    message = r"config\.dataset\.cache=.*file: cannot be written"
    with pytest.raises(InputError, match=message), renamed("config.dataset."):
        prepare(dataset(Pictures(4)), tmp_path / "file")


@pytest.mark.parametrize("cached", [False, True])
def test_what_cannot_be_read_is_left_out_and_listed(tmp_path, caplog, cached):
    folder, log = tmp_path if cached else "", tmp_path / "log"
    broken = dataset(Pictures(8, log, broken={2, 5}))
    left = prepare(broken, folder, on_error="skip")
    sound = prepare(dataset(Pictures(8)))
    assert content(left.pool) == [c for i, c in enumerate(content(sound.pool)) if i not in (2, 5)]
    assert len(left.pool) == 6
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("data set 'tiny': 2 examples are left out")
    assert "'drive/002.png' cannot be read: truncated" in line
    assert "'drive/005.png' cannot be read: truncated" in line
    other = prepare(dataset(Pictures(8, broken={2})), tmp_path / "other", on_error="skip")
    assert len({left.fingerprint, other.fingerprint, sound.fingerprint}) == 3
    if cached:  # found once, for all later processes
        before = reads(log)
        assert prepare(broken, folder, on_error="skip").fingerprint == left.fingerprint
        assert reads(log) == before
        with pytest.raises(RunError, match=r"'drive/002\.png' cannot be read: truncated"):
            prepare(broken, folder)


def test_a_sound_set_is_the_same_whether_errors_are_skipped(caplog):
    made = dataset(Pictures(4))
    skipping, raising = prepare(made, on_error="skip"), prepare(made)
    assert content(skipping.pool) == content(raising.pool)
    assert skipping.fingerprint == raising.fingerprint == made.fingerprint
    assert not caplog.records


def test_by_default_the_first_unreadable_example_stops_the_build(tmp_path):
    made = dataset(Pictures(8, broken={5}))
    with pytest.raises(RunError, match=r"example 'drive/005\.png' cannot be read: truncated"):
        prepare(made, tmp_path)
    assert files(tmp_path) == []
    assert len(prepare(dataset(Pictures(8)), tmp_path).pool) == 8


def test_a_set_is_loaded_with_cache_and_transforms(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny, "load", lambda n: dataset(Pictures(n)), raising=False)
    transform = {"train": "scale_crop", "size": (8, 8), "evaluate": "fit", "evaluate_size": (9, 7)}
    config = {"name": "tests.data.tiny:load", "n": 5, "resize": 12, "cache": str(tmp_path)}
    made = datasets.load(config, transform)
    assert made.image_shape == (9, 7, 3)
    (batch,) = train_batches(made.pool, made.transforms.train, np.arange(5), 0, 5, 1)
    assert batch["image"].shape == (5, 8, 8, 3)
    assert batch["label"].shape == (5, 8, 8)
    (batch,) = eval_batches(made.val, made.transforms.evaluate, np.arange(3), 3)
    assert batch["image"].shape == (3, 9, 7, 3)
    assert batch["size"].dtype == np.int32
    assert batch["size"].max(axis=0).tolist() == [9, 7]
    message = r"config\.dataset 'resized'; did you mean 'resize'"
    with pytest.raises(InputError, match=message), renamed("config.dataset."):
        datasets.load({**config, "resized": 1}, transform)
