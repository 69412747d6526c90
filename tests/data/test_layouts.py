"""What names in a folder of images mean, and what of such a folder is a pool."""

import logging

import numpy as np
import pytest

from salx.data import datasets
from salx.infra.errors import InputError
from tests.data.files import class_tree, encoded, mask_tree, picture, write

GREY = np.zeros((6, 8), np.uint8)


def pool(root, **options):
    return datasets.raw({"name": "folder", "dir": str(root), "labels": "none", **options})


def keys(root, **options):
    return list(pool(root, **options).pool.keys)


def fill(root, *names):
    """Pictures of different content, PNG or JPEG as they are named."""
    for seed, name in enumerate(names):
        write(root / name, picture(seed))


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images/{}.jpg", "labels/{}.png"),
        ("images/train/{}.jpg", "masks/train/{}.png"),
        ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"),
        ("leftImg8bit/a/{}_leftImg8bit.png", "gtFine/a/{}_gtFine_labelIds.png"),
        ("images/{}.jpg", "annotations/{}.png"),
        ("train/{}.jpg", "train_masks/{}_mask.png"),
        ("drive/{}.jpg", "drive/masks/{}.jpg"),
        ("drive/{}.jpg", "drive/{}_mask.png"),
        ("drive/{}.png", "drive/masks/front.png"),
        ("drive/{}.jpg", "drive/camera_mask.png"),
    ],
)
def test_masks_that_a_layout_has_are_no_images(tmp_path, images, masks):
    taken = [images.format(number) for number in range(3)]
    fill(tmp_path, *taken, *{masks.format(number): 0 for number in range(3)})
    assert keys(tmp_path) == sorted(taken)
    assert len(keys(tmp_path, labels="all")) > 3


@pytest.mark.parametrize(
    "names",
    [
        ("labels/a.jpg", "labels/b.jpg", "bottles/c.jpg"),  # photographs of labels
        ("masks/a.png", "masks/b.png"),  # there is nothing that these could be masks of
        ("to_label/1.jpg", "labelled/1.jpg"),
        ("with_mask/1.png", "without_mask/2.png"),
        ("a_mask.jpg", "b_mask.jpg"),
        ("left/1.png", "right/1.png"),
        ("000000_a.jpg", "000001_b.jpg"),  # frames, as cameras name them
        ("copy/a.jpg", "b.jpg"),
    ],
)
def test_names_alone_make_nothing_a_mask_or_a_copy(tmp_path, names):
    fill(tmp_path, *names)
    assert keys(tmp_path) == keys(tmp_path, labels="all") == sorted(names)


def test_copies_of_an_earlier_selection_are_no_images(tmp_path):
    fill(tmp_path, "drive/a b.jpg", "drive/b.jpg", "drive/c.jpg")
    for rank, name in enumerate(("c.jpg", "a b.jpg")):
        content = (tmp_path / "drive" / name).read_bytes()
        write(tmp_path / f"old/{rank:06d}_{name.replace(' ', '_')}", content)
        write(tmp_path / f"later/picks/drive/{name}", content)
    assert keys(tmp_path) == ["drive/a b.jpg", "drive/b.jpg", "drive/c.jpg"]


def test_files_of_equal_sizes_are_no_copies(tmp_path):
    for number in range(3):
        write(tmp_path / f"{number}.bmp", encoded(picture(number), ".bmp"))
        write(tmp_path / f"right/{number}.bmp", encoded(picture(number + 3), ".bmp"))
    assert len(keys(tmp_path)) == 6


def test_what_is_taken_and_left_out_is_one_line(tmp_path, caplog):
    fill(tmp_path, *(f"images/{number}.jpg" for number in range(3)), "images/3.png")
    for number in range(3):
        write(tmp_path / f"labels/{number}.png", GREY)
        write(tmp_path / f"images/@eaDir/{number}/SYNOPHOTO_THUMB_M.jpg", picture())
        write(tmp_path / f"images/{number}.json", b"{}")
    write(tmp_path / "drive.mp4", b"film")
    assert len(keys(tmp_path)) == 4
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        "data set 'folder': takes 4 images (3 .jpg, 1 .png), leaves out 3 masks in labels; "
        "3 files of the system in images/@eaDir; 3 .json, 1 .mp4; labels='all' takes every image"
    )


def test_nothing_is_said_where_nothing_is_left_out(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    fill(tmp_path, "a.jpg", "b/c.png", ".hidden.png")
    assert keys(tmp_path) == ["a.jpg", "b/c.png"]
    assert not caplog.records


def test_an_empty_pool_says_what_is_there_instead(tmp_path):
    write(tmp_path / "a.mp4", b"film")
    write(tmp_path / "b.mp4", b"film")
    with pytest.raises(InputError, match=r"the pool is empty: .* leaves out 2 \.mp4"):
        pool(tmp_path)


@pytest.mark.parametrize(
    ("train", "val"),
    [("train", "valid"), ("Train", "Val"), ("training", "validation"), ("train", "test")],
)
def test_splits_have_the_names_that_people_give_them(tmp_path, train, val):
    class_tree(tmp_path, {"cat": 2, "dog": 1}, train)
    class_tree(tmp_path, {"cat": 1}, val)
    made = pool(tmp_path, labels="folders")
    assert made.classes == ("cat", "dog")
    assert made.pool.keys[0] == f"{train}/cat/0.png"
    assert list(made.val.keys) == [f"{val}/cat/0.png"]
    masks = tmp_path / "masks"
    mask_tree(masks, 2, split=train)
    mask_tree(masks, 1, split=val)
    made = pool(masks, labels="folders", task="segmentation", classes=("a", "b", "c"))
    assert (len(made.pool), len(made.val)) == (2, 1)


def test_val_is_taken_before_test_and_two_of_one_kind_are_refused(tmp_path):
    for split in ("train", "val", "test"):
        class_tree(tmp_path, {"cat": 1}, split)
    assert list(pool(tmp_path, labels="folders").val.keys) == ["val/cat/0.png"]
    class_tree(tmp_path, {"cat": 1}, "Valid")
    with pytest.raises(InputError, match="holds Valid and val, of which one can be validation"):
        pool(tmp_path, labels="folders")


@pytest.mark.parametrize(
    ("places", "named"),
    [
        (("val/cat", "other/dog"), "val"),
        (("images", "masks"), "images"),
        (("train/images", "train/masks"), "train/images"),
        (("cats", "gtFine"), "gtFine"),
    ],
)
def test_folders_of_another_layout_are_no_classes(tmp_path, places, named):
    for place in places:
        write(tmp_path / place / "0.png", picture())
    with pytest.raises(InputError, match=rf"{tmp_path}/{named}: a folder of this name") as caught:
        pool(tmp_path, labels="folders")
    assert "labels='all_folders'" in str(caught.value)
    assert pool(tmp_path, labels="all_folders").classes


def test_named_classes_are_classes(tmp_path):
    class_tree(tmp_path, {"mask": 1, "train": 2}, "")
    made = pool(tmp_path, labels="folders", classes=("train", "mask"))
    assert [int(made.pool[index]["label"]) for index in range(3)] == [1, 0, 0]


def test_class_folders_one_level_too_deep_are_refused(tmp_path):
    class_tree(tmp_path / "data", {"cat": 2, "dog": 1}, "train")
    with pytest.raises(InputError, match=r"data/train/cat/0\.png: lies in a folder in a class"):
        pool(tmp_path, labels="folders")
    assert pool(tmp_path, labels="all_folders").classes == ("data",)


def test_folders_of_systems_are_no_classes(tmp_path):
    class_tree(tmp_path, {"cat": 1, "@eaDir": 1, "cat/@eaDir": 1})
    made = pool(tmp_path, labels="folders")
    assert (made.classes, list(made.pool.keys)) == (("cat",), ["train/cat/0.png"])
