"""A study looks at masks before it trains, once, and leaves nothing where it refuses them."""

import numpy as np
import pytest

import salx
from salx.data import mask_check
from salx.infra.errors import InputError, RunError
from salx.tasks.segmentation import Segmentation
from tests.data.files import encoded, mask_tree, write
from tests.study import masks_study

VOID = np.full((6, 8), 255, np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A data set of four and two images with masks."""
    mask_tree(tmp_path / "data", 4)
    mask_tree(tmp_path / "data", 2, split="val")
    return tmp_path / "data"


def void(folder, split, count):
    for number in range(count):
        write(folder / split / "masks" / f"{number}.png", VOID)


def damaged(folder, split, count):
    write(folder / split / "masks" / f"{count - 1}.png", encoded(VOID)[:40])


def another_size(folder, split, count):
    write(folder / split / "masks" / "0.png", VOID[:4])


@pytest.mark.parametrize(("split", "count"), [("train", 4), ("val", 2)])
@pytest.mark.parametrize("change", [void, damaged, another_size])
def test_masks_are_refused_before_anything_is_written(folder, tmp_path, change, split, count):
    change(folder, split, count)
    study = salx.Study(masks_study.get_config(folder), tmp_path / "w")
    with pytest.raises(InputError, match="none of the" if change is void else r"masks/\d.png: "):
        study.run()
    assert not (tmp_path / "w").exists()


def test_a_process_says_it_in_a_line(folder, tmp_path, salx):
    void(folder, "val", 2)
    process = salx(tmp_path / "w", config=f"{masks_study.__file__}:{folder}")
    assert process.returncode == 2
    assert process.stderr.startswith("salx: data set 'folder': none of the 2 masks of val has a")
    assert process.stderr.count("\n") == 1
    assert not (tmp_path / "w").exists()


def test_a_study_that_goes_on_does_not_look_again(folder, tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(mask_check, "check", looks.append)
    for _ in range(2):
        salx.Study(masks_study.get_config(folder), tmp_path / "w").run()
    assert [dataset.name for dataset in looks] == ["folder"]


def test_nothing_to_measure_is_no_number():
    sums = {name: np.zeros(3) for name in ("labelled", "predicted", "correct")}
    with pytest.raises(RunError, match="no pixel of the validation split is labelled"):
        Segmentation().compute(sums)
