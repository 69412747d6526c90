"""The known sets as people have them: converted, unfinished, still packed, or another edition."""

import numpy as np
import pytest

from salx.data import datasets, mask_check
from salx.data.sets import classes
from salx.data.sets.cityscapes import CITIES
from salx.infra.errors import InputError
from tests.data.files import class_tree, picture, raw, write


def cityscapes_tree(root, values=(7, 26, 0), city="ulm"):
    """leftImg8bit and gtFine of two splits, one image each, whose masks hold these values."""
    mask = np.resize(np.array(values, np.uint8), (6, 8))
    for split in ("train", "val"):
        stem = f"{split}/{city}/{city}_000000_000019"
        write(root / "leftImg8bit" / f"{stem}_leftImg8bit.png", picture())
        write(root / "gtFine" / f"{stem}_gtFine_labelIds.png", mask)
    return mask


def ade20k_tree(root, values=(0, 1, 150)):
    mask = np.resize(np.array(values, np.uint8), (6, 8))
    for split in ("training", "validation"):
        write(root / "images" / split / "0.jpg", picture())
        write(root / "annotations" / split / "0.png", mask)
    return mask


CONVERTED = {
    "cityscapes": (cityscapes_tree, (0, 8, 18, 255), r"labelIds\.png: holds 255, .* trainIds"),
    "ade20k": (ade20k_tree, (0, 149, 255), r"0\.png: holds 255, .* zero was reduced already"),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_masks_that_were_converted_stop_everything_unless_told(tmp_path, name):
    tree, values, match = CONVERTED[name]
    mask = tree(tmp_path, values)
    official = raw(name, dir=str(tmp_path))
    with pytest.raises(InputError, match=match) as stopped:
        official.pool[0]
    assert "label_ids='train'" in str(stopped.value)
    assert "\n" not in str(stopped.value)
    for options in ({"on_error": "skip"}, {"cache": str(tmp_path / "cache")}):
        with pytest.raises(InputError, match=match):
            datasets.load({"name": name, "dir": str(tmp_path), **options})
    with pytest.raises(InputError, match=match):
        mask_check.check(official)
    converted = raw(name, dir=str(tmp_path), label_ids="train")
    assert (converted.pool[0]["label"] == mask).all()
    assert converted.fingerprint != official.fingerprint
    assert converted.classes == official.classes


@pytest.mark.parametrize("name", CONVERTED)
def test_label_ids_are_of_two_kinds_and_of_files(tmp_path, name):
    CONVERTED[name][0](tmp_path)
    assert raw(name, dir=str(tmp_path), label_ids="official").pool[0]["label"].any()
    with pytest.raises(
        InputError, match=r"config\.dataset\.label_ids 'trian'; did you mean 'train'"
    ):
        raw(name, dir=str(tmp_path), label_ids="trian")
    with pytest.raises(InputError, match=r"label_ids='train' is for .*config\.dataset\.source="):
        raw(name, dir=str(tmp_path), source="tfds", label_ids="train")


HALVES = (("leftImg8bit", "leftImg8bit"), ("gtFine", "gtFine_labelIds"))
FILES = {
    "cityscapes": [
        f"{folder}/{split}/ulm/ulm_000000_000019_{ending}.png"
        for split in ("train", "val")
        for folder, ending in HALVES
    ],
    "ade20k": [
        f"{folder}/{split}/ADE_00000001.{ending}"
        for split in ("training", "validation")
        for folder, ending in (("images", "jpg"), ("annotations", "png"))
    ],
    "camvid": [
        f"{split}/{folder}/0001TP_006690.png"
        for split in ("train", "val")
        for folder in ("images", "labels")
    ],
    "imagenet": [
        f"{split}/{synset}/0.JPEG" for split in ("train", "val") for synset in classes.IMAGENET[:2]
    ],
}
FINGERPRINTS = {
    "cityscapes": "sha256:4c3d0f22c39551cefc7e41551a5feccd78f60481cbb84b48bf399a60d65f56d2",
    "ade20k": "sha256:0debfa4a1bee8f66f5cdb12ea86bee5ea4bbb72f5ed8a615d3c993cbadb29405",
    "camvid": "sha256:757050201f4b235042a8cfabe032cafeccd4d4f81e8b70e3bf08dfd670c2a67c",
    "imagenet": "sha256:a5a86afc8d58a7c88563d81bfd98ad5a4ed163304ca95a972ba01372cf6fc736",
}


@pytest.mark.parametrize("name", FILES)
def test_fingerprints_of_official_sets_stay(tmp_path, name):
    """Run folders name them, so they are as version 0.1.0 gave them; no file is read for them."""
    for size, file in enumerate(FILES[name], 5):
        write(tmp_path / file, b"x" * size)
    assert raw(name, dir=str(tmp_path)).fingerprint == FINGERPRINTS[name]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("a_000000_000019_leftImg8bit.jpg", "1 that ends in .jpg"),
        ("a_000000_000019_leftImg8bit_foggy_beta_0.02.png", "(as a_000000_000019_leftImg8bit_fog"),
        ("a_000000_000019_leftImg8bit.tif", "1 that ends in .tif (as a_000000_000019_left"),
        ("README", "1 that ends in nothing (as README)"),
    ],
)
def test_a_folder_without_images_says_what_is_wanted_and_what_lies_there(tmp_path, name, kinds):
    write(tmp_path / "leftImg8bit" / "train" / "a" / name, b"something")
    (tmp_path / "gtFine" / "train").mkdir(parents=True)
    with pytest.raises(InputError) as raised:
        raw("cityscapes", dir=str(tmp_path))
    line = str(raised.value)
    wanted = f"{tmp_path}/leftImg8bit/train: holds no file whose name ends in _leftImg8bit.png; "
    assert line.startswith(f"{wanted}it holds ")
    assert kinds in line


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    ade20k_tree(tmp_path)
    (tmp_path / "images" / "validation" / "0.jpg").unlink()
    with pytest.raises(
        InputError, match=r"images/validation: holds no .*; it holds no file at all"
    ):
        raw("ade20k", dir=str(tmp_path))


def test_cities_that_are_missing_are_mentioned(tmp_path, caplog):
    cityscapes_tree(tmp_path)
    raw("cityscapes", dir=str(tmp_path))
    (line,) = caplog.messages
    assert line.startswith(
        "data set 'cityscapes' is not all there: train lacks 17 of its 18 cities"
    )
    assert "ulm" not in line
    assert "val lacks 3 of its 3 cities (frankfurt, lindau, munster) and has 1 of 500" in line


def test_all_cities_are_not_mentioned(tmp_path, caplog):
    for city in (city for cities in CITIES.values() for city in cities):
        cityscapes_tree(tmp_path, city=city)
    raw("cityscapes", dir=str(tmp_path))
    assert caplog.messages == []


def test_a_synset_that_val_alone_has_is_said_to_be_missing_in_train(tmp_path):
    class_tree(tmp_path, {"n01440764": 1})
    class_tree(tmp_path, {"n01440764": 1, "n01443537": 1, "n01484850": 1}, "val")
    match = "train/n01443537: is missing, though val has this synset: train lacks 2 of the synsets"
    with pytest.raises(InputError, match=match):
        raw("imagenet", dir=str(tmp_path))
    class_tree(tmp_path, {"n1": 1}, "val")
    with pytest.raises(InputError, match="val/n1: no synset of ILSVRC 2012"):
        raw("imagenet", dir=str(tmp_path))


@pytest.mark.parametrize("split", ["train", "val"])
def test_archives_of_synsets_are_to_be_unpacked(tmp_path, split, caplog):
    for part in ("train", "val"):
        class_tree(tmp_path, {"n01440764": 1, "n01443537": 1}, part)
    write(tmp_path / split / "n01440764.tar", b"unpacked already")
    raw("imagenet", dir=str(tmp_path))
    assert caplog.messages == [
        f"{tmp_path / split}: archives lie there and are not read: n01440764.tar"
    ]
    write(tmp_path / split / "n01484850.tar", b"not unpacked")
    write(tmp_path / split / "n01491361.tar", b"nor this one")
    match = rf"{split}/n01484850\.tar: is still packed, as are 1 more; unpack each into a folder"
    with pytest.raises(InputError, match=match):
        raw("imagenet", dir=str(tmp_path))


def test_a_set_that_is_still_packed_says_so(tmp_path):
    write(tmp_path / "leftImg8bit_trainvaltest.zip", b"packed")
    with pytest.raises(InputError, match=r"leftImg8bit_trainvaltest\.zip lies in .*, still packed"):
        raw("cityscapes", dir=str(tmp_path))


@pytest.mark.parametrize("folder", ["", "ADE20K_2016_07_26"])
def test_the_full_ade20k_of_2016_is_not_the_benchmark(tmp_path, folder):
    scene = tmp_path / folder / "images" / "training" / "a" / "abbey"
    write(scene / "ADE_train_00000001.jpg", picture())
    write(scene / "ADE_train_00000001_seg.png", picture())
    with pytest.raises(InputError, match=r"the full ADE20K of 2016, .*ADEChallengeData2016\.zip"):
        raw("ade20k", dir=str(tmp_path))


@pytest.mark.parametrize("folder", ["", "ADE20K_2021_17_01"])
def test_the_full_ade20k_of_2021_is_not_the_benchmark(tmp_path, folder):
    write(tmp_path / folder / "images/ADE/training/urban/street/a.jpg", picture())
    with pytest.raises(InputError, match=r"the full ADE20K of 2021, .*ADEChallengeData2016\.zip"):
        raw("ade20k", dir=str(tmp_path))


def test_thumbnails_of_a_nas_are_no_images(tmp_path):
    for split in ("train", "val"):
        class_tree(tmp_path, {"n01440764": 1}, split)
    before = raw("imagenet", dir=str(tmp_path))
    for folder in ("train/@eaDir", "train/n01440764/@eaDir", "val/n01440764/@eaDir/0.png"):
        write(tmp_path / folder / "SYNOPHOTO_THUMB_M.jpg", picture())
    found = raw("imagenet", dir=str(tmp_path))
    assert (found.pool.keys, found.fingerprint) == (before.pool.keys, before.fingerprint)
