import os
import pickle

import numpy as np
import pytest

from salx.data import listing
from salx.infra.errors import InputError
from tests.data.files import class_tree, encoded, mask_tree, picture, raw, write

THREE = ("road", "sky", "tree")


def load(root, **options):
    return raw("folder", dir=str(root), **options)


def segmentation(root, **options):
    return load(root, task="segmentation", classes=THREE, **options)


def refused(match, root, **options):
    with pytest.raises(InputError, match=match):
        load(root, **options)


def test_class_folders_are_read_in_order(tmp_path):
    class_tree(tmp_path, {"dog": 2, "cat": 3})
    class_tree(tmp_path, {"cat": 1}, "val")
    write(tmp_path / "train" / "cat" / "notes.txt", b"not an image")
    write(tmp_path / "train" / "cat" / ".hidden.png", b"not one either")
    found = load(tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.pool.keys == [
        *(f"train/cat/{number}.png" for number in range(3)),
        *(f"train/dog/{number}.png" for number in range(2)),
    ]
    assert found.val.keys == ["val/cat/0.png"]
    items = [found.pool[index] for index in range(5)]
    assert [int(item["label"]) for item in items] == [0, 0, 0, 1, 1]
    assert (items[1]["image"] == picture(1)).all()
    assert found.image_shape == (6, 8, 3)


def test_without_train_the_folder_is_the_pool(tmp_path):
    class_tree(tmp_path, {"cat": 1, "dog": 1}, split="")
    found = load(tmp_path)
    assert (found.pool.keys, len(found.val)) == (["cat/0.png", "dog/0.png"], 0)


def test_names_in_any_script_and_deep_folders_are_keys(tmp_path):
    write(tmp_path / "train" / "猫" / "été" / "Ünï çødé.PNG", encoded(picture(3)))
    found = load(tmp_path, labels="all_folders")
    assert (found.classes, found.pool.keys) == (("猫",), ["train/猫/été/Ünï çødé.PNG"])
    assert (found.pool[0]["image"] == picture(3)).all()


def test_links_are_followed_and_have_to_lead_somewhere(tmp_path):
    class_tree(tmp_path, {"cat": 2}, split="elsewhere")
    (tmp_path / "set" / "train").mkdir(parents=True)
    (tmp_path / "set" / "train" / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    assert load(tmp_path / "set").pool.keys == ["train/cat/0.png", "train/cat/1.png"]
    (tmp_path / "elsewhere" / "cat" / "2.png").symlink_to(tmp_path / "gone.png")
    refused(r"train/cat/2\.png: a link to .*gone\.png, which is not there", tmp_path / "set")
    os.unlink(tmp_path / "elsewhere" / "cat" / "2.png")
    (tmp_path / "elsewhere" / "cat" / "again").symlink_to(tmp_path / "elsewhere" / "cat")
    refused("cat/again: a link to a folder that it lies in", tmp_path / "set")


def test_a_lost_class_folder_is_named(tmp_path):
    class_tree(tmp_path, {"cat": 1})
    (tmp_path / "train" / "dog").symlink_to(tmp_path / "gone")
    refused("train/dog: a link to .*gone, which is not there", tmp_path)


def test_what_is_wrong_with_class_folders_is_named(tmp_path):
    refused(f"looked for {tmp_path / 'none'}", tmp_path / "none")
    (tmp_path / "train").mkdir()
    refused("train: holds no class folders", tmp_path)
    class_tree(tmp_path, {"cat": 1})
    class_tree(tmp_path, {"dog": 1}, "val")
    refused("val/dog: 'dog' is no class of the set", tmp_path)
    (tmp_path / "train" / "dog").mkdir()
    refused("train/dog: holds no images", tmp_path)
    write(tmp_path / "train" / "dog" / "0.png", picture())
    write(tmp_path / "train" / "stray.png", picture())
    refused(r"train/stray\.png: lies in no class folder", tmp_path)


def test_masks_belong_to_images_of_their_name(tmp_path):
    mask_tree(tmp_path, 3)
    mask_tree(tmp_path, 1, split="val")
    write(tmp_path / "train" / "masks" / "no_image.png", picture()[..., 0])
    found = segmentation(tmp_path)
    assert found.pool.keys == [f"train/images/{number}.png" for number in range(3)]
    assert len(found.val) == 1
    item = found.pool[2]
    assert (item["image"] == picture(2)).all()
    assert item["label"].dtype == np.uint8
    assert item["label"].tolist() == ((np.arange(48).reshape(6, 8) + 2) % 3).tolist()


def test_255_stays_what_is_not_counted(tmp_path):
    mask_tree(tmp_path, 1)
    write(tmp_path / "train" / "masks" / "0.png", np.full((6, 8), 255, np.uint8))
    assert (segmentation(tmp_path).pool[0]["label"] == 255).all()


def test_missing_and_doubled_masks_are_named_when_listed(tmp_path):
    mask_tree(tmp_path, 2)
    os.unlink(tmp_path / "train" / "masks" / "1.png")
    with pytest.raises(InputError, match=r"images/1\.png: its mask .*masks/1\.png is missing"):
        segmentation(tmp_path)
    mask_tree(tmp_path, 2)
    write(tmp_path / "train" / "images" / "1.jpg", picture())
    with pytest.raises(InputError, match=r"images/1\.png: another image has the mask 1\.png too"):
        segmentation(tmp_path)


def test_faults_of_content_name_the_file_when_read(tmp_path):
    mask_tree(tmp_path, 3)
    masks = tmp_path / "train" / "masks"
    write(masks / "0.png", np.zeros((6, 7), np.uint8))
    write(masks / "1.png", np.full((6, 8), 3, np.uint8))
    write(tmp_path / "train" / "images" / "2.png", encoded(picture())[:90])
    pool = segmentation(tmp_path).pool
    with pytest.raises(ValueError, match=r"masks/0\.png: the mask has 7x6 but the image 8x6"):
        pool[0]
    with pytest.raises(ValueError, match=r"masks/1\.png: the value 3 in the mask is no class"):
        pool[1]
    with pytest.raises(ValueError, match=r"images/2\.png: cut short"):
        pool[2]
    os.unlink(tmp_path / "train" / "images" / "2.png")
    with pytest.raises(OSError, match=r"images/2\.png"):
        pool[2]


def test_masks_need_the_names_of_their_classes(tmp_path):
    mask_tree(tmp_path)
    refused(r"config\.dataset\.classes: needs the names", tmp_path, task="segmentation")
    refused(r"config\.dataset\.classes: names each once", tmp_path, classes=("a", "a"))
    refused(r"config\.dataset\.task 'segmentaton'; did you mean", tmp_path, task="segmentaton")
    refused(r"config\.dataset\.labels 'nope'", tmp_path, labels="nope")


def test_a_pool_of_images_alone_has_no_labels(tmp_path):
    mask_tree(tmp_path, 2, split="somewhere")
    for task in ("classification", "segmentation"):
        found = load(tmp_path / "somewhere" / "images", labels="none", task=task)
        assert (found.task.name, found.classes, len(found.val)) == (task, (), 0)
        assert [found.pool[index].keys() for index in range(2)] == [{"image"}] * 2
    assert load(tmp_path, labels="none", classes=THREE).classes == THREE


def test_pictures_of_several_sizes_have_no_common_shape(tmp_path):
    class_tree(tmp_path, {"cat": 3})
    write(tmp_path / "train" / "cat" / "broken.png", b"")
    assert load(tmp_path).image_shape == (6, 8, 3)
    write(tmp_path / "train" / "cat" / "z.png", picture(size=(8, 6)))
    assert load(tmp_path).image_shape == (0, 0, 3)


def test_the_fingerprint_is_of_names_labels_and_sizes(tmp_path):
    class_tree(tmp_path, {"cat": 2, "dog": 1})
    first = load(tmp_path).fingerprint
    assert load(tmp_path).fingerprint == first
    seen = {first, load(tmp_path, classes=("dog", "cat")).fingerprint}
    path = tmp_path / "train" / "cat" / "1.png"
    path.write_bytes(path.read_bytes() + b"more")
    seen.add(load(tmp_path).fingerprint)
    path.rename(path.with_name("2.png"))
    seen.add(load(tmp_path).fingerprint)
    path.with_name("2.png").rename(tmp_path / "train" / "dog" / "2.png")
    seen.add(load(tmp_path).fingerprint)
    (tmp_path / "train").rename(tmp_path / "moved")
    (tmp_path / "set").mkdir()
    (tmp_path / "moved").rename(tmp_path / "set" / "train")
    assert load(tmp_path / "set").fingerprint in seen
    assert len(seen) == 5


def test_the_fingerprint_is_of_masks_too(tmp_path):
    mask_tree(tmp_path)
    first = segmentation(tmp_path).fingerprint
    path = tmp_path / "train" / "masks" / "0.png"
    path.write_bytes(path.read_bytes() + b"more")
    assert segmentation(tmp_path).fingerprint != first


def test_sources_travel_to_other_processes(tmp_path):
    class_tree(tmp_path / "a", {"cat": 1})
    mask_tree(tmp_path / "b")
    for pool in (load(tmp_path / "a").pool, segmentation(tmp_path / "b").pool):
        copy = pickle.loads(pickle.dumps(pool))
        assert copy.keys == pool.keys
        assert all((copy[0][name] == pool[0][name]).all() for name in pool[0])


def test_an_ending_is_found_in_any_case():
    assert listing.stem("a.b.JPG", listing.IMAGES) == "a.b"
    assert listing.stem("a.jpg.txt", listing.IMAGES) is None
