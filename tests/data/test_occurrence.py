"""Warnings of classes that occur nowhere, and of masks that mean something else."""

import numpy as np
import pytest

from salx.data import datasets
from salx.data.occurrence import SAMPLE, sampled_values
from salx.data.sets import folder
from tests.data.files import class_tree, mask_tree, picture, write


def warnings(caplog, root, **options):
    """What loading a folder says."""
    caplog.clear()
    datasets.load({"name": "folder", "dir": str(root), **options})
    return [record.getMessage() for record in caplog.records]


def masks(root, *stored):
    for number, values in enumerate(stored):
        write(root / f"images/{number}.png", picture(number))
        mask = np.resize(np.array(values, np.uint8), (6, 8))
        write(root / f"masks/{number}.png", mask)


@pytest.fixture
def segmentation():
    return {"task": "segmentation", "classes": ("road", "car", "sky")}


def test_masks_of_0_and_255_are_told(tmp_path, caplog, segmentation):
    masks(tmp_path, [0, 255], [0], [255])
    (line,) = warnings(caplog, tmp_path, **segmentation)
    assert "its 3 masks hold only 0 and 255, which usually mean background and object" in line
    assert "all that counts is 'road': write the object's pixels as 1" in line


def test_a_class_in_no_mask_is_told(tmp_path, caplog, segmentation):
    masks(tmp_path, [0, 1, 255], [1])
    (line,) = warnings(caplog, tmp_path, **segmentation)
    assert line.endswith("1 class occurs in none of its 2 masks: 'sky'")
    masks(tmp_path, [0, 1], [2])
    assert warnings(caplog, tmp_path, **segmentation) == []


def test_a_list_of_masks_is_looked_at_too(tmp_path, caplog, segmentation):
    masks(tmp_path, [0, 255])
    (tmp_path / "l.csv").write_text("image,mask\nimages/0.png,masks/0.png\n")
    (line,) = warnings(caplog, tmp_path, labels="l.csv", **segmentation)
    assert "hold only 0 and 255" in line


def test_few_of_many_masks_are_read(tmp_path, monkeypatch, caplog, segmentation):
    mask_tree(tmp_path, 3 * SAMPLE, split="")
    load = folder.load(dir=str(tmp_path), **segmentation)
    read, numbers = folder.occurrence.decoding.read_mask, []
    monkeypatch.setattr(
        folder.occurrence.decoding,
        "read_mask",
        lambda path: numbers.append(int(path.stem)) or read(path),
    )
    values, count = sampled_values(load.pool)
    assert (values, count, len(numbers)) == (frozenset({0, 1, 2}), SAMPLE, SAMPLE)
    steps = np.diff([load.pool.masks.index(f"masks/{number}.png") for number in numbers])
    assert steps.min() >= 2  # spread over all of them


def test_a_damaged_mask_is_named_when_its_turn_comes(tmp_path, caplog, segmentation):
    masks(tmp_path, [0, 1, 2], [0])
    (tmp_path / "masks/1.png").write_bytes(b"no picture")
    assert warnings(caplog, tmp_path, **segmentation) == []


def test_a_class_of_no_image_is_told(tmp_path, caplog):
    class_tree(tmp_path, {"cat": 2, "dog": 1})
    class_tree(tmp_path, {"cat": 1}, "val")
    assert warnings(caplog, tmp_path) == []
    (line,) = warnings(caplog, tmp_path, classes=("ant", "bee", "cat", "dog"))
    assert line.endswith("2 classes occur in none of its labels: 'ant', 'bee'")


def test_names_that_differ_in_their_case_are_told(tmp_path, caplog):
    write(tmp_path / "0.png", picture(0))
    write(tmp_path / "1.png", picture(1))
    (tmp_path / "l.csv").write_text("image,label\n0.png,Cat\n1.png,cat\n")
    (line,) = warnings(caplog, tmp_path, labels="l.csv")
    assert line.endswith("'Cat' and 'cat' are two classes")
