"""Masks that cannot be trained or measured on are refused before anything is trained."""

import numpy as np
import pytest

from salx.data import datasets, mask_check
from salx.infra.errors import InputError
from salx.tasks.segmentation import Segmentation
from tests.data.files import encoded, mask_tree, write

VOID = np.full((6, 8), 255, np.uint8)


class Masks:
    """A source of masks, void but for some; what is read is counted."""

    def __init__(self, count, labelled=(), broken=()):
        self.keys = [f"{index:04d}.png" for index in range(count)]
        self.labelled, self.broken, self.read = set(labelled), set(broken), []

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        self.read.append(index)
        if index in self.broken:
            raise ValueError("cut short")
        label = VOID.copy()
        if index in self.labelled:
            label[0, 0] = 1
        return {"image": np.zeros((6, 8, 3), np.uint8), "label": label}


def dataset(pool, val, **changes):
    fields = {
        "name": "squares",
        "task": Segmentation(),
        "about": "masks",
        "classes": ("a", "b"),
        "pool": pool,
        "val": val,
        "image_shape": (6, 8, 3),
        "mean": (0.5,) * 3,
        "std": (0.2,) * 3,
        "fingerprint": "masks",
    }
    return datasets.Dataset(**{**fields, **changes})


def refused(pool, val):
    with pytest.raises(InputError) as raised:
        mask_check.check(dataset(pool, val))
    return str(raised.value)


@pytest.mark.parametrize("split", ["val", "pool"])
def test_a_split_without_a_labelled_pixel_is_refused(split):
    sources = {"pool": Masks(9, [4]), "val": Masks(7, [6]), split: Masks(8)}
    line = refused(**sources)
    assert line.startswith(f"data set 'squares': none of the 8 masks of {split} has a labelled")
    assert "\n" not in line


@pytest.mark.parametrize("split", ["val", "pool"])
def test_a_mask_that_cannot_be_read_is_named(split):
    sources = {"pool": Masks(9, [4]), "val": Masks(7, [6]), split: Masks(8, [1], [5])}
    assert refused(**sources) == (
        f"data set 'squares', {split}: example '0005.png' cannot be read: cut short"
    )


def test_all_of_validation_is_read_and_a_sample_of_the_pool():
    pool, val = Masks(1200, range(1200)), Masks(700, [699])
    mask_check.check(dataset(pool, val))
    assert sorted(val.read) == list(range(700))
    assert len(pool.read) == len(set(pool.read)) == mask_check.SAMPLE
    assert {0, 1199} <= set(pool.read)
    assert max(np.diff(sorted(pool.read))) <= 3


def test_a_pool_with_few_labels_is_read_until_one_is_met():
    pool = Masks(1200)
    sampled = set(np.linspace(0, 1199, mask_check.SAMPLE).round().astype(int))
    last = max(set(range(1200)) - sampled)
    pool.labelled = {last}
    mask_check.check(dataset(pool, Masks(3, [0])))
    assert last in pool.read


def test_what_has_no_masks_is_not_read():
    pool, val = Masks(5), Masks(5)
    mask_check.check(dataset(pool, val, classes=()))
    unlabelled = datasets.load({"name": "digits"})
    mask_check.check(unlabelled._replace(pool=pool, val=val))
    assert pool.read == val.read == []
    mask_check.check(dataset(Masks(5, [1]), Masks(0)))


def test_camvid_with_nothing_but_void_is_refused(tmp_path):
    for split in ("train", "val"):
        mask_tree(tmp_path, 3, split=split)
        (tmp_path / split / "masks").rename(tmp_path / split / "labels")
    loaded = datasets.load({"name": "camvid", "dir": str(tmp_path)})
    mask_check.check(loaded)
    for number in range(3):
        write(tmp_path / "val" / "labels" / f"{number}.png", np.full((6, 8), 11, np.uint8))
    with pytest.raises(InputError, match="none of the 3 masks of val has a labelled pixel"):
        mask_check.check(loaded)
    write(tmp_path / "val" / "labels" / "1.png", encoded(VOID)[:40])
    with pytest.raises(InputError, match=r"'camvid', val: .*val/labels/1\.png: cut short"):
        mask_check.check(loaded)
