"""Sets prepared by tensorflow_datasets, read without tensorflow."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from salx.data import decoding
from salx.data.sets import ade20k, cityscapes, classes
from salx.infra.errors import InputError
from tests.builders import ROOT
from tests.data.files import encoded, picture, raw

pytest.importorskip("tensorflow_datasets", reason="tensorflow_datasets is not installed")

NAMES = ("imagenet", "cityscapes", "ade20k", "cifar10")


@pytest.fixture(scope="module")
def child(compiled, tmp_path_factory):
    """Runs python where importing tensorflow fails; returns what it prints."""
    folder = tmp_path_factory.mktemp("no_tensorflow")
    (folder / "tensorflow.py").write_text("raise RuntimeError('tensorflow was imported')")
    env = {**compiled, "PYTHONPATH": f"{folder}:{ROOT}"}

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def prepared(child, tmp_path_factory):
    """A folder of the four sets, of 5 and 3 records each."""
    folder = tmp_path_factory.mktemp("prepared")
    child("-m", "tests.data.prepare", folder)
    return folder


def load(name, folder):
    return raw(name, dir=str(folder), source="tfds")


def numbers(source, pictures):
    """Which of the pictures each record holds; tfds shuffles as it prepares."""
    found = []
    for index in range(len(source)):
        image = source[index]["image"]
        found.append([(image == each).all() for each in pictures].index(True))
    assert sorted(found) == list(range(len(source)))
    return found


def photographs():
    return [decoding.decode(encoded(picture(number), ".jpg")) for number in range(5)]


def masks(number):
    return np.arange(48).reshape(6, 8) % 7 + number


READ = """
import sys
from tests.data.files import raw
for name in {names}:
    found = raw(name, dir={dir!r}, source="tfds")
    items = [source[i] for source in (found.pool, found.val) for i in range(len(source))]
    print(name, len(items), found.fingerprint)
assert "tensorflow" not in sys.modules
"""


def test_reading_never_imports_tensorflow(child, prepared):
    lines = child("-c", READ.format(names=NAMES, dir=str(prepared))).splitlines()
    assert lines == [f"{name} 8 {load(name, prepared).fingerprint}" for name in NAMES]
    assert len({line.split()[-1] for line in lines}) == 4


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_places_and_sources_travel(prepared, name):
    found = load(name, prepared)
    assert found.pool.keys == [f"train/{number:07d}" for number in range(5)]
    assert len(found.val) == 3
    copy = pickle.loads(pickle.dumps(found.pool))
    assert all((copy[4][field] == found.pool[4][field]).all() for field in ("image", "label"))
    with pytest.raises(ValueError, match="Record key"):
        found.pool[5]


def test_imagenet_has_images_and_labels(prepared):
    imagenet = load("imagenet", prepared)
    assert imagenet.classes == classes.IMAGENET
    for source in (imagenet.pool, imagenet.val):
        wanted = [999 - number for number in numbers(source, photographs())]
        assert [int(source[index]["label"]) for index in range(len(source))] == wanted


def test_cifar_has_images_and_labels(prepared):
    cifar = load("cifar10", prepared)
    assert (cifar.classes, cifar.image_shape) == (classes.CIFAR10, (32, 32, 3))
    pictures = [picture(number, (32, 32)) for number in range(5)]
    wanted = numbers(cifar.pool, pictures)
    assert [int(cifar.pool[index]["label"]) for index in range(5)] == wanted


def test_cityscapes_has_train_ids(prepared):
    found = load("cityscapes", prepared)
    assert found.classes == cityscapes.LABELS.names
    pictures = [picture(number) for number in range(5)]
    for index, number in enumerate(numbers(found.pool, pictures)):
        wanted = cityscapes.LABELS.map[masks(number)]
        assert (found.pool[index]["label"] == wanted).all()


def test_scene_parse150_has_the_objects_of_its_instances(prepared):
    found = load("ade20k", prepared)
    assert (len(found.classes), len(found.palette)) == (100, 100)
    assert "100 object classes" in found.about
    assert found.classes == ade20k.OBJECTS.names
    for index, number in enumerate(numbers(found.pool, photographs())):
        wanted = np.where(masks(number) == 0, 255, masks(number) - 1)
        assert (found.pool[index]["label"] == wanted).all()


def test_what_is_not_prepared_says_how(prepared, tmp_path):
    how = r"cifar10/<version>\. .*`tfds build cifar10 --file_format=array_record"
    with pytest.raises(InputError, match=how):
        load("cifar10", tmp_path)
    with pytest.raises(InputError, match=r"config\.dataset\.dir has to name"):
        load("cifar10", "")
    with pytest.raises(InputError, match=r"config\.dataset\.source 'tdfs'; did you mean 'tfds'"):
        raw("cifar10", dir=str(prepared), source="tdfs")


def altered(prepared, folder, change):
    """A copy of the prepared CIFAR-10 that `change` has worked on."""
    copy = folder / "cifar10" / "3.0.2"
    copy.mkdir(parents=True)
    for path in (prepared / "cifar10" / "3.0.2").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    change(copy)
    return folder


def test_what_cannot_be_used_is_named(prepared, tmp_path):
    def lose(folder):
        next(folder.glob("*train*")).unlink()

    def rename(folder):
        (folder / "label.labels.txt").write_text("\n".join(classes.CIFAR10[::-1]))

    def as_tfrecord(folder):
        info = json.loads((folder / "dataset_info.json").read_text())
        (folder / "dataset_info.json").write_text(json.dumps({**info, "fileFormat": "tfrecord"}))

    def without_test(folder):
        info = json.loads((folder / "dataset_info.json").read_text())
        info["splits"] = [split for split in info["splits"] if split["name"] == "train"]
        (folder / "dataset_info.json").write_text(json.dumps(info))

    cases = {
        lose: r"cifar10-train\.array_record-00000-of-00001: cannot be read: No such file",
        rename: "class 0 is 'truck', not 'airplane'",
        as_tfrecord: "cifar10/3.0.2: prepared as tfrecord, not array_record",
        without_test: "cifar10/3.0.2: has no split 'test'",
    }
    for change, match in cases.items():
        folder = altered(prepared, tmp_path / change.__name__, change)
        with pytest.raises(InputError, match=match):
            load("cifar10", folder)


def damage(folder, name, content):
    (folder / name).write_bytes(content)


def shortened(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = {
    "info that is no JSON": (
        lambda folder: damage(folder, "dataset_info.json", b"{"),
        r"cifar10/3\.0\.2/dataset_info\.json: damaged: ",
    ),
    "info that is no text": (
        lambda folder: damage(folder, "dataset_info.json", b"\xff\xfe\x00"),
        r"cifar10/3\.0\.2/dataset_info\.json: damaged: ",
    ),
    "info of nothing": (
        lambda folder: damage(folder, "dataset_info.json", b"[]"),
        r"cifar10/3\.0\.2: its metadata \(dataset_info\.json, features\.json, ",
    ),
    "no info": (
        lambda folder: (folder / "dataset_info.json").unlink(),
        r"cifar10/3\.0\.2/dataset_info\.json: is missing\. It is prepared",
    ),
    "features that are no JSON": (
        lambda folder: damage(folder, "features.json", b""),
        r"cifar10/3\.0\.2/features\.json: damaged: ",
    ),
    "features of nothing": (
        lambda folder: damage(folder, "features.json", b"{}"),
        r"cifar10/3\.0\.2: its metadata \(dataset_info\.json, features\.json, ",
    ),
    "no features": (
        lambda folder: (folder / "features.json").unlink(),
        r"cifar10/3\.0\.2/features\.json: cannot be read: No such file",
    ),
    "no class names": (
        lambda folder: (folder / "label.labels.txt").unlink(),
        r"cifar10/3\.0\.2/label\.labels\.txt: is missing",
    ),
    "a class name twice": (
        lambda folder: damage(folder, "label.labels.txt", b"cat\ncat\n"),
        r"cifar10/3\.0\.2/label\.labels\.txt: class 0 is 'cat', not 'airplane'",
    ),
    "a cut record file": (
        lambda folder: shortened(next(folder.glob("*train.array_record*"))),
        r"cifar10-train\.array_record-00000-of-00001: cut short, or damaged",
    ),
    "an empty record file": (
        lambda folder: next(folder.glob("*test.array_record*")).write_bytes(b""),
        r"cifar10-test\.array_record-00000-of-00001: cut short, or damaged",
    ),
    "records of another split": (
        lambda folder: next(folder.glob("*test.array_record*")).write_bytes(
            next(folder.glob("*train.array_record*")).read_bytes()
        ),
        r"cifar10-test\.array_record-.*: holds 5 records, and dataset_info\.json says 3",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damaged_files_are_named_before_anything_is_read(prepared, tmp_path, case):
    change, match = DAMAGES[case]
    with pytest.raises(InputError, match=match) as raised:
        load("cifar10", altered(prepared, tmp_path, change))
    assert "\n" not in str(raised.value)


def test_a_damaged_record_names_its_file(prepared, tmp_path):
    def flip(folder):
        path = next(folder.glob("*train.array_record*"))
        content = bytearray(path.read_bytes())
        middle = content.find(b"PNG")
        content[middle : middle + 200] = bytes(200)
        path.write_bytes(content)

    pool = load("cifar10", altered(prepared, tmp_path, flip)).pool
    with pytest.raises(ValueError, match=r"cifar10-train\.array_record-00000-of-00001: "):
        [pool[index] for index in range(len(pool))]


def test_a_set_of_other_features_is_named(prepared, tmp_path):
    (tmp_path / "scene_parse150").symlink_to(prepared / "cifar10")
    with pytest.raises(InputError, match=r"3\.0\.2/features\.json: has no feature 'annotation'"):
        load("ade20k", tmp_path)
